-- Ordered files. "created" is in milliseconds since 1970.
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_created ON jobs (created, id);

-- Whether anything names a content that is to be dropped.
CREATE INDEX attachments_sha256 ON attachments (sha256);
