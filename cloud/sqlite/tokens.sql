-- What stands for the versions of all tables of a customer: another one with
-- every change.
CREATE TABLE tokens (
  customer TEXT PRIMARY KEY REFERENCES customers (id),
  token    TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO tokens SELECT id, lower(hex(randomblob(16))) FROM customers;
