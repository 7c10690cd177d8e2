-- What the API cost its database: see package cloud/cost. Two rows an instance
-- and two for all in a minute, each replaced until its time is over; minutes go
-- after hours, hours after months.
CREATE TABLE tidemark.costs (
    span     integer NOT NULL,        -- seconds
    begun    timestamptz NOT NULL,
    instance text COLLATE "C" NOT NULL, -- '': the counters of the server
    document text NOT NULL,
    PRIMARY KEY (span, begun, instance)
);
