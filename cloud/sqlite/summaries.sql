-- What the summary of a customer's table needs: see package cloud/sums.
ALTER TABLE tables ADD COLUMN secret BLOB;
UPDATE tables SET secret = randomblob(16);
ALTER TABLE tables ADD COLUMN mark TEXT NOT NULL DEFAULT '{}';

CREATE TABLE summaries (
  customer   TEXT NOT NULL,
  name       TEXT NOT NULL,
  number     INTEGER NOT NULL, -- of the newest layout; never given twice
  ready      INTEGER NOT NULL, -- 0: being made
  layout     TEXT NOT NULL,
  nodes      BLOB NOT NULL,
  nodes_seq  INTEGER NOT NULL, -- batch up to which nodes are folded
  nodes_at   INTEGER NOT NULL, -- what was logged by then
  leaves_seq INTEGER NOT NULL,
  leaves_at  INTEGER NOT NULL,
  PRIMARY KEY (customer, name)
);

CREATE TABLE leaves (
  customer TEXT NOT NULL,
  name     TEXT NOT NULL,
  node     INTEGER NOT NULL, -- the bits of an unsigned number
  folded   INTEGER NOT NULL,
  anchor   BLOB,
  cells    BLOB NOT NULL,
  PRIMARY KEY (customer, name, node)
);

CREATE TABLE log (
  customer TEXT NOT NULL,
  name     TEXT NOT NULL,
  seq      INTEGER NOT NULL, -- of the batch
  entry    BLOB NOT NULL,
  PRIMARY KEY (customer, name, seq)
);
