-- The first schema. Every table holds one sort of document: the columns that
-- identify it or are searched, its revision, and the document itself as JSON.
-- "pos" is the position of the last write in the order of all writes.

CREATE TABLE sequence (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    pos INTEGER NOT NULL, -- the last position given out
    store TEXT NOT NULL   -- names this database in cursors
) STRICT;
INSERT INTO sequence (one, pos, store) VALUES (1, 0, lower(hex(randomblob(4))));

CREATE TABLE templates (
    code TEXT NOT NULL,
    version INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (code, version)
) STRICT;

CREATE TABLE type_lists (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

CREATE TABLE units (
    pos INTEGER PRIMARY KEY,
    code TEXT NOT NULL,
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX units_code ON units (code);

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX people_name ON people (name);

CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    created INTEGER NOT NULL, -- milliseconds since 1970
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX tokens_person ON tokens (person, created, hash);

CREATE TABLE rounds (
    code TEXT PRIMARY KEY,
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

CREATE TABLE assignments (
    pos INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    visit TEXT NOT NULL,
    round TEXT NOT NULL,
    observer TEXT NOT NULL,
    due INTEGER NOT NULL, -- days since 1970; 0 is none
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX assignments_id ON assignments (id);
CREATE UNIQUE INDEX assignments_visit ON assignments (visit);
CREATE INDEX assignments_round ON assignments (round); -- and pos, the row's own key
CREATE INDEX assignments_observer ON assignments (observer, round, due, id);

CREATE TABLE responses (
    pos INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    visit TEXT NOT NULL,  -- the visit's key; "~" and the id while the response holds none
    round TEXT NOT NULL,
    template TEXT NOT NULL,
    unit TEXT NOT NULL,
    role TEXT NOT NULL,
    observer TEXT NOT NULL,
    state TEXT NOT NULL,
    path TEXT NOT NULL,   -- the units above and including the unit, "|TW|Q01|"
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL,    -- everything but the bytes
    raw BLOB NOT NULL,    -- the bytes of the current submission
    history BLOB          -- those of earlier and conflicting ones, each after its length
) STRICT;
CREATE UNIQUE INDEX responses_id ON responses (id);
-- Keeps visits unique and finds a unit's responses: indexes over keys in random
-- order are what writing costs most, so one does for both.
CREATE UNIQUE INDEX responses_visit ON responses (unit, visit);
CREATE INDEX responses_observer ON responses (observer); -- and pos, the row's own key
-- All that a filter looks at, so that a round is searched without its documents.
CREATE INDEX responses_round ON responses (round, pos, template, role, state, observer, unit, path);

-- What summaries need, apart from the documents and in the order in which they
-- are read: a round of a million rows is filled from these pages alone.
CREATE TABLE response_rows (
    round TEXT NOT NULL,
    pos INTEGER NOT NULL,
    id TEXT NOT NULL,
    rev INTEGER NOT NULL,
    state TEXT NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (round, pos)
) STRICT, WITHOUT ROWID;
