-- The last report of each customer's site.
CREATE TABLE reports (
  customer TEXT PRIMARY KEY REFERENCES customers (id),
  received TEXT NOT NULL,
  document TEXT NOT NULL
) WITHOUT ROWID;
