-- What stands for the versions of all tables of a customer: another one with
-- every change, in the change's transaction. Random, so that a database that
-- was put back to an earlier state never has one that an agent knows from a
-- later one.
CREATE TABLE tidemark.tokens (
    customer text COLLATE "C" PRIMARY KEY REFERENCES tidemark.customers,
    token    uuid NOT NULL DEFAULT gen_random_uuid()
) WITH (fillfactor = 50);
INSERT INTO tidemark.tokens (customer) SELECT id FROM tidemark.customers;
