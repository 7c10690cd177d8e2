-- What the cloud knows about customers and their tables. The rows themselves
-- are in schema data, one table per dataset.

CREATE SCHEMA data;

CREATE TABLE tidemark.customers (
    id      text COLLATE "C" PRIMARY KEY,
    name    text NOT NULL,
    created timestamptz NOT NULL
);

CREATE TABLE tidemark.keys (
    hash     bytea PRIMARY KEY,       -- SHA-256 of the key
    customer text COLLATE "C" NOT NULL REFERENCES tidemark.customers,
    created  timestamptz NOT NULL,
    expires  timestamptz              -- null: never
);
CREATE INDEX ON tidemark.keys (customer);

CREATE TABLE tidemark.policies (
    customer text COLLATE "C" PRIMARY KEY, -- '' for the whole fleet
    document text NOT NULL
);

-- A dataset is a table's name in the cloud, shared by all customers that
-- have it. Its shape is one more after every change of its columns.
CREATE TABLE tidemark.datasets (
    name       text COLLATE "C" PRIMARY KEY,
    identifier text COLLATE "C" NOT NULL UNIQUE, -- of its table in schema data
    document   text NOT NULL,
    shape      integer NOT NULL
);

-- What each customer declared of a dataset.
CREATE TABLE tidemark.schemas (
    customer text COLLATE "C" NOT NULL REFERENCES tidemark.customers,
    name     text COLLATE "C" NOT NULL REFERENCES tidemark.datasets,
    document text NOT NULL,
    PRIMARY KEY (customer, name)
);
CREATE INDEX ON tidemark.schemas (name);

-- The version of a customer's table: one row, read by its key alone and
-- updated in place. No column of an index ever changes and half of each page
-- is free, so that updates are heap-only. Cursor and marks stay in the row
-- where they fit.
CREATE TABLE tidemark.versions (
    customer     text COLLATE "C" NOT NULL REFERENCES tidemark.customers,
    name         text COLLATE "C" NOT NULL,
    schema       text NOT NULL,                  -- fingerprint
    epoch        text NOT NULL DEFAULT '',
    epoch_number integer NOT NULL DEFAULT 0,
    seq          bigint NOT NULL DEFAULT 0,      -- seq, watermark: the bits of an unsigned number
    watermark    bigint NOT NULL DEFAULT 0,
    rows         bigint NOT NULL DEFAULT 0,
    loaded       boolean NOT NULL DEFAULT false,
    pristine     boolean NOT NULL DEFAULT false, -- the load under way began on an empty table
    cursor       text NOT NULL DEFAULT '',
    marks        text NOT NULL DEFAULT '',
    batch        text NOT NULL DEFAULT '',       -- ID of the last one
    writer       text NOT NULL DEFAULT '',
    writer_name  text NOT NULL DEFAULT '',
    writer_run   text NOT NULL DEFAULT '',
    writer_since timestamptz,
    PRIMARY KEY (customer, name)
) WITH (fillfactor = 50);
ALTER TABLE tidemark.versions ALTER cursor SET STORAGE MAIN, ALTER marks SET STORAGE MAIN;

-- The answer to the last batch, for a batch that is sent again; apart from
-- the version, so that reading a version does not pass over it.
CREATE TABLE tidemark.answers (
    customer text COLLATE "C" NOT NULL REFERENCES tidemark.customers,
    name     text COLLATE "C" NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (customer, name)
) WITH (fillfactor = 50);
