-- Who may look at the fleet page; an operator is its keys.
CREATE TABLE tidemark.operators (
    hash    bytea PRIMARY KEY,        -- SHA-256 of the key
    name    text COLLATE "C" NOT NULL,
    created timestamptz NOT NULL,
    expires timestamptz               -- null: never
);

-- The last batches of the table, the newest first: see cloud.Taken. The row is
-- written with every batch anyway.
ALTER TABLE tidemark.answers ADD COLUMN recent bytea NOT NULL DEFAULT '';
