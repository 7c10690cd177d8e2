-- Who may look at the fleet page; an operator is its keys.
CREATE TABLE operators (
  name    TEXT NOT NULL,
  hash    BLOB NOT NULL,
  created TEXT NOT NULL,
  expires TEXT NOT NULL, -- '': never
  PRIMARY KEY (name, hash)
) WITHOUT ROWID;

-- The last batches of the table, the newest first: see cloud.Taken.
ALTER TABLE answers ADD COLUMN recent BLOB NOT NULL DEFAULT x'';
