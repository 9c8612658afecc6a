-- The events of all documents in the order of time. They are written with their
-- document, in its own change: the documents stay what counts, and this table
-- can be made from them at any time, as is done here.
CREATE TABLE events (
    at INTEGER NOT NULL,     -- milliseconds since 1970
    kind TEXT NOT NULL,      -- of the document
    id TEXT NOT NULL,        -- the document's
    n INTEGER NOT NULL,      -- which of its events
    person TEXT NOT NULL,    -- who did it
    action TEXT NOT NULL,
    detail TEXT,             -- JSON
    round TEXT NOT NULL,     -- these three are the document's, empty if it has none
    unit TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (at, kind, id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_person ON events (person, at, kind, id, n);

INSERT INTO events
WITH documents (kind, id, round, unit, owner, doc) AS (
    SELECT 'template', code || ' ' || version, '', '', '', doc FROM templates
    UNION ALL SELECT 'unit', code, '', code, '', doc FROM units
    UNION ALL SELECT 'person', id, '', '', '', doc FROM people
    UNION ALL SELECT 'token', hash, '', '', person, doc FROM tokens
    UNION ALL SELECT 'round', code, code, '', '', doc FROM rounds
    UNION ALL SELECT 'assignment', id, round, doc ->> '$.unit', '', doc FROM assignments
    UNION ALL SELECT 'response', id, round, unit, '', doc FROM responses
)
SELECT CAST(round(unixepoch(e.value ->> '$.at', 'subsec') * 1000) AS INTEGER), d.kind, d.id, e.key,
    coalesce(e.value ->> '$.by', ''), e.value ->> '$.action', e.value -> '$.detail', d.round, d.unit, d.owner
FROM documents d, json_each(d.doc, '$.events') e;
