-- What became of an assignment, beside the document: coverage is counted
-- without reading documents.
ALTER TABLE assignments ADD COLUMN status TEXT NOT NULL DEFAULT '';
