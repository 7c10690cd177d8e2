-- One-time codes, each for a key of its customer.
CREATE TABLE invitations (
  customer TEXT NOT NULL REFERENCES customers (id),
  hash     BLOB NOT NULL, -- SHA-256 of the code
  created  TEXT NOT NULL,
  expires  TEXT NOT NULL,
  PRIMARY KEY (customer, hash)
) WITHOUT ROWID;
