-- What the API cost: see package cloud/cost.
CREATE TABLE costs (
    span     INTEGER NOT NULL, -- seconds
    begun    INTEGER NOT NULL, -- Unix time
    instance TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (span, begun, instance)
) WITHOUT ROWID;
