-- One-time codes, each for a key of its customer.
CREATE TABLE tidemark.invitations (
    hash     bytea PRIMARY KEY,       -- SHA-256 of the code
    customer text COLLATE "C" NOT NULL REFERENCES tidemark.customers,
    created  timestamptz NOT NULL,
    expires  timestamptz NOT NULL
);
CREATE INDEX ON tidemark.invitations (customer);
