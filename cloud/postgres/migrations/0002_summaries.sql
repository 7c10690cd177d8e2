-- What the summaries of customers' tables need: see package cloud/sums.

-- Secret keys the hashes; rows that are added by a program from before get one,
-- too. The mark (summary, summed, logged) is in the row that a batch updates
-- anyway: a batch that was written without it shows, because summed stays
-- behind seq.
ALTER TABLE tidemark.versions
    ADD COLUMN secret  bytea NOT NULL DEFAULT substr(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 1, 16),
    ADD COLUMN summary bigint NOT NULL DEFAULT 0, -- number of the layout that batches write the log for; 0: none
    ADD COLUMN summed  bigint NOT NULL DEFAULT 0, -- batch that last did; the bits of an unsigned number
    ADD COLUMN logged  bigint NOT NULL DEFAULT 0; -- bytes since the layout began

-- Blobs are sums, which do not compress, and stay in their rows as long as
-- those fit a page: one page to read, and nothing to look up beside it.
CREATE TABLE tidemark.summaries (
    customer   text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    number     bigint NOT NULL,  -- of the newest layout; never given twice
    ready      boolean NOT NULL, -- false: being made
    layout     text NOT NULL,
    nodes      bytea NOT NULL,
    nodes_seq  bigint NOT NULL,  -- batch up to which nodes are folded
    nodes_at   bigint NOT NULL,  -- what was logged by then
    leaves_seq bigint NOT NULL,
    leaves_at  bigint NOT NULL,
    PRIMARY KEY (customer, name)
) WITH (toast_tuple_target = 8160);
ALTER TABLE tidemark.summaries ALTER nodes SET STORAGE EXTERNAL;

CREATE TABLE tidemark.leaves (
    customer text COLLATE "C" NOT NULL,
    name     text COLLATE "C" NOT NULL,
    number   bigint NOT NULL,    -- of the layout
    node     bigint NOT NULL,    -- the bits of an unsigned number
    folded   bigint NOT NULL,    -- batch up to which it is folded
    anchor   bytea,
    cells    bytea NOT NULL,
    PRIMARY KEY (customer, name, number, node)
) WITH (toast_tuple_target = 8160);
ALTER TABLE tidemark.leaves ALTER cells SET STORAGE EXTERNAL;

CREATE TABLE tidemark.log (
    customer text COLLATE "C" NOT NULL,
    name     text COLLATE "C" NOT NULL,
    seq      bigint NOT NULL,    -- of the batch
    entry    bytea NOT NULL,
    PRIMARY KEY (customer, name, seq)
) WITH (toast_tuple_target = 8160);
ALTER TABLE tidemark.log ALTER entry SET STORAGE EXTERNAL;
