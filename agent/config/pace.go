package config

import "time"

// A Pace is how often a table is looked at and how hard its source is worked.
type Pace struct {
	// Interval is the time from one cycle of a table to the next.
	Interval time.Duration `yaml:"interval" range:"1s..168h"`
	// ForcedSkips is how many cycles after a sync pass without a look at the
	// source.
	ForcedSkips int `yaml:"forced_skips" range:"0..10000"`
	// MaxSkips is how many cycles in a row an unchanged table is skipped
	// before the cloud is asked all the same. While a lease of the cloud
	// holds, its check-ins stand in for that.
	MaxSkips int `yaml:"max_skips" range:"0..10000"`
	// VerifyEvery is the time between two comparisons of a whole table. They
	// find what row versions cannot tell: deletes that kept the count equal,
	// and rows changed in the cloud.
	VerifyEvery time.Duration `yaml:"verify_every" range:"1m..8760h"`

	Limits Limits `yaml:"limits"`
	// Windows are the times at which the table may move; empty is always.
	Windows []Window `yaml:"windows"`
}

// Limits bound one statement and one batch.
type Limits struct {
	QueryTime        time.Duration `yaml:"query_time" range:"20ms..30s"`      // aimed at: chunks size themselves to it
	BatchRows        int           `yaml:"batch_rows" range:"64..50000"`      // at most in one batch
	BatchBytes       Size          `yaml:"batch_bytes" range:"64KiB..32MiB"`  // at most in one batch, before compression
	RowBytes         Size          `yaml:"row_bytes" range:"1KiB..64MiB"`     // a larger row goes to the quarantine
	StatementTimeout time.Duration `yaml:"statement_timeout" range:"1s..10m"` // then the statement is given up
	LockTimeout      time.Duration `yaml:"lock_timeout" range:"0s..5m"`       // then the wait for a lock is given up
}

// DefaultPace is the pace of a file that says nothing about it.
func DefaultPace() Pace {
	return Pace{
		Interval:    time.Minute,
		ForcedSkips: 0,
		MaxSkips:    60,
		VerifyEvery: 24 * time.Hour,
		Limits: Limits{
			QueryTime:        500 * time.Millisecond,
			BatchRows:        50_000,
			BatchBytes:       4 * MiB,
			RowBytes:         16 * MiB,
			StatementTimeout: 30 * time.Second,
			LockTimeout:      5 * time.Second,
		},
	}
}
