-- Tries at guessing, by a key that tells nothing. "last" is in milliseconds
-- since 1970; what is old is deleted by it.
CREATE TABLE tries (
    key TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_last ON tries (last);
