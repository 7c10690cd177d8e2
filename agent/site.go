package agent

import (
	"time"

	"tidemark/sqlserver"
)

// A Site is what one agent serves, resolved from the configuration: no
// references, no defaults left to apply. The agent owns the sources and the
// cloud client that it is given and closes them.
type Site struct {
	Customer string
	Host     string // of this machine, for people
	Cloud    Cloud
	Sources  []SourceSite

	// Unprotected are the connections that are: they are told of in the log and
	// in the status.
	Unprotected []Unprotected

	// Running bounds the tables that are worked on at once, over all sources,
	// and with them the memory: two chunk buffers each. 0 means 4.
	Running int
	// FilterBytes bounds the memory of one diff's filter of seen keys. 0 means
	// 32 MiB.
	FilterBytes int
	// Quarantine bounds the rows kept in quarantine for each table. 0 means
	// 10,000.
	Quarantine int
	// TakeOver makes the first batch of each table replace the writer that the
	// cloud holds: for moving a customer to another machine on purpose.
	TakeOver bool
}

// A SourceSite is one source and its tables.
type SourceSite struct {
	Name    string
	Source  Source
	Running int // tables of this source that are worked on at once; 0 means 2
	Tables  []TableSite
}

// A TableSite is one table.
type TableSite struct {
	Dataset  string // its name in the cloud
	Schema   string // at the source, as is Name
	Name     string
	Exclude  []string // columns that are never read
	Hash     []string // columns that go out hashed, with HashKey
	HashKey  string
	Group    bool   // the columns are those of many tables: what this one lacks is no mistake
	Disabled string // why the table is off; "" when it is on

	Interval    time.Duration // between two cycles; 0 means one minute
	ForcedSkips int           // see the decision in package scheduler; so are the next two
	MaxSkips    int
	VerifyEvery time.Duration
	CountEvery  time.Duration // between exact counts where the source has no cheap figure; 0 means 6 hours
	Pause       time.Duration // between two chunks read
	Limits      sqlserver.Limits

	// Open tells whether data may be moved at this time (transfer windows).
	// nil means always.
	Open func(time.Time) bool
}
