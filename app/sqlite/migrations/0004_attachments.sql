-- Which files go with which responses; the files themselves are in a folder
-- beside the database, each by the hash of its content.
CREATE TABLE attachments (
    response TEXT NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL, -- milliseconds since 1970
    person TEXT NOT NULL,
    PRIMARY KEY (response, name, at, sha256)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attachments_content ON attachments (response, name, sha256);

-- Forms as clients got them: the same bytes for ever.
CREATE TABLE forms (
    code TEXT NOT NULL,
    version INTEGER NOT NULL,
    form BLOB NOT NULL,
    PRIMARY KEY (code, version)
) STRICT;
