-- The last report of each customer's site. No index holds received: replacing
-- a report stays heap-only, and a listing of those since a time passes over
-- short rows, whose documents it does not open.
CREATE TABLE tidemark.reports (
    customer text COLLATE "C" PRIMARY KEY REFERENCES tidemark.customers,
    received timestamptz NOT NULL,
    document text NOT NULL
) WITH (fillfactor = 50, toast_tuple_target = 128);
