-- Saves of a draft that follow each other count as one: a template's trail is
-- written anew with each save.
CREATE INDEX events_template ON events (id) WHERE kind = 'template';

-- Until now the event that a later save had replaced stayed.
DELETE FROM events WHERE kind = 'template';
INSERT INTO events
SELECT CAST(round(unixepoch(e.value ->> '$.at', 'subsec') * 1000) AS INTEGER), 'template', t.code || ' ' || t.version, e.key,
    coalesce(e.value ->> '$.by', ''), e.value ->> '$.action', e.value -> '$.detail', '', '', ''
FROM templates t, json_each(t.doc, '$.events') e;
