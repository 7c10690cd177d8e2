-- What operators decide, as documents with revisions: see cloud.Control. The
-- row with an empty kind has the revision of all of them.
CREATE TABLE control (
  kind     TEXT NOT NULL,
  name     TEXT NOT NULL,
  revision INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
INSERT INTO control VALUES ('', '', 1, '');
INSERT INTO control SELECT 'policy', CASE customer WHEN '' THEN '' ELSE 'customer:' || customer END, 1, body FROM policies;
DROP TABLE policies;

-- Who changed what, and why.
CREATE TABLE record (
  revision INTEGER NOT NULL,
  subject  TEXT NOT NULL,
  at       TEXT NOT NULL,
  who      TEXT NOT NULL,
  why      TEXT NOT NULL,
  action   TEXT NOT NULL,
  before   TEXT NOT NULL,
  after    TEXT NOT NULL,
  PRIMARY KEY (revision, subject)
) WITHOUT ROWID;

-- What instances see while a rollout is watched: one row an instance.
CREATE TABLE observed (
  instance TEXT PRIMARY KEY,
  at       TEXT NOT NULL,
  document TEXT NOT NULL
) WITHOUT ROWID;
