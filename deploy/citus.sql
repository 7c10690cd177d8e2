-- Turns the database of a Postgres store into a Citus cluster, distributed by
-- customer. Run it once as the owner of the store's schemas, on the
-- coordinator, when tidemark-cloud has made its schemas and no server runs:
--
--     psql -v ON_ERROR_STOP=1 -1 -f citus.sql 'postgres://tidemark@coordinator/tidemark'
--
-- Citus 11.2 or later. Every server connects to the coordinator, whose advisory
-- locks they share. Every row of a customer is on one node, whatever its table.
-- What all customers share is a reference table, a copy on every node. Tables of
-- new datasets are handed to tidemark.distribute by the server that makes them.
-- A later version of tidemark-cloud may add tables: its notes say how they are
-- distributed.

CREATE EXTENSION IF NOT EXISTS citus;

-- Before 11.2 the nodes did not hear of a transaction's isolation level:
-- summaries would be of rows and versions of different moments.
DO $$
BEGIN
    IF (SELECT string_to_array(substring(extversion FROM '^[0-9]+\.[0-9]+'), '.')::int[] < '{11,2}' FROM pg_extension WHERE extname = 'citus') THEN
        RAISE EXCEPTION 'Citus 11.2 or later is needed';
    END IF;
END $$;

-- Who registers a new dataset asks all nodes whether others have it, after which
-- Citus takes no change of a reference table that such a key refers to. No
-- dataset is ever deleted.
ALTER TABLE tidemark.schemas DROP CONSTRAINT IF EXISTS schemas_name_fkey;

SELECT create_reference_table('tidemark.datasets');
SELECT create_reference_table('tidemark.control');
SELECT create_reference_table('tidemark.record');
SELECT create_reference_table('tidemark.observed');
SELECT create_reference_table('tidemark.operators');
SELECT create_reference_table('tidemark.costs');
SELECT create_reference_table('tidemark.policies');

SELECT create_distributed_table('tidemark.customers', 'id', colocate_with => 'none');
SELECT create_distributed_table('tidemark.keys', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.invitations', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.tokens', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.reports', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.schemas', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.versions', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.answers', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.summaries', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.leaves', 'customer', colocate_with => 'tidemark.customers');
SELECT create_distributed_table('tidemark.log', 'customer', colocate_with => 'tidemark.customers');

-- The store calls it with the quoted name of a table that it has just made.
CREATE OR REPLACE FUNCTION tidemark.distribute(dataset text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM create_distributed_table(dataset::regclass, 'customer_id', colocate_with => 'tidemark.customers');
END $$;

SELECT tidemark.distribute(format('data.%I', identifier)) FROM tidemark.datasets;
