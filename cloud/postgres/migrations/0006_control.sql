-- What operators decide, as documents with revisions: see cloud.Control. The
-- row with an empty kind has the revision of all of them.
CREATE TABLE tidemark.control (
    kind     text COLLATE "C" NOT NULL,
    name     text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (kind, name)
);
INSERT INTO tidemark.control VALUES ('', '', 1, '');
INSERT INTO tidemark.control
    SELECT 'policy', CASE customer WHEN '' THEN '' ELSE 'customer:' || customer END, 1, document FROM tidemark.policies;
-- Servers of before read tidemark.policies until they are replaced; it is not
-- written any more.

-- Who changed what, and why.
CREATE TABLE tidemark.record (
    revision bigint NOT NULL,
    subject  text COLLATE "C" NOT NULL,
    at       timestamptz NOT NULL,
    who      text NOT NULL,
    why      text NOT NULL,
    action   text NOT NULL,
    before   text NOT NULL,
    after    text NOT NULL,
    PRIMARY KEY (revision, subject)
);

-- What instances see while a rollout is watched: one row an instance.
CREATE TABLE tidemark.observed (
    instance text COLLATE "C" PRIMARY KEY,
    at       timestamptz NOT NULL,
    document text NOT NULL
);
