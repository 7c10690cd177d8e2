CREATE TABLE customers (
  id      TEXT PRIMARY KEY,
  name    TEXT NOT NULL,
  created TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE keys (
  customer TEXT NOT NULL REFERENCES customers (id),
  hash     BLOB NOT NULL,
  created  TEXT NOT NULL,
  expires  TEXT NOT NULL, -- '': never
  PRIMARY KEY (customer, hash)
) WITHOUT ROWID;

CREATE TABLE policies (
  customer TEXT PRIMARY KEY, -- '': the fleet
  body     TEXT NOT NULL
) WITHOUT ROWID;

-- What customers share: see package cloud/dataset.
CREATE TABLE datasets (
  name TEXT PRIMARY KEY,
  id   TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
) WITHOUT ROWID;

-- A customer's table: see package cloud/ledger.
CREATE TABLE tables (
  customer TEXT NOT NULL REFERENCES customers (id),
  name     TEXT NOT NULL REFERENCES datasets (name),
  state    TEXT NOT NULL,
  schema   TEXT NOT NULL,
  PRIMARY KEY (customer, name)
) WITHOUT ROWID;

-- The answer to the last batch, for when it is sent again.
CREATE TABLE answers (
  customer TEXT NOT NULL,
  name     TEXT NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (customer, name)
) WITHOUT ROWID;
