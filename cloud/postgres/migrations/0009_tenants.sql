-- Every key of a customer's rows begins with the customer, so that the tables
-- can be distributed by it: see deploy/citus.sql.
ALTER TABLE tidemark.keys DROP CONSTRAINT keys_pkey, ADD CONSTRAINT keys_pkey PRIMARY KEY (customer, hash);
DROP INDEX IF EXISTS tidemark.keys_customer_idx;
ALTER TABLE tidemark.invitations DROP CONSTRAINT invitations_pkey, ADD CONSTRAINT invitations_pkey PRIMARY KEY (customer, hash);
DROP INDEX IF EXISTS tidemark.invitations_customer_idx;
