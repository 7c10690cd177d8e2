package cost

import (
	"context"
	"errors"
	"time"
)

// Counters are what a database server counts for itself, as they stand. They
// grow, and begin anew when somebody resets them or the server crashed.
type Counters struct {
	At     time.Time `json:"at"`
	Reads  int64     `json:"reads"`        // operations that read
	Writes int64     `json:"writes"`       // operations that wrote, those of the log too
	Read   int64     `json:"blocks_read"`  // blocks of 8 KiB that were asked of the system
	Hit    int64     `json:"blocks_hit"`   // blocks that were in the server's own memory
	Log    int64     `json:"log_position"` // bytes of write-ahead log

	Datasets map[string]Counted `json:"datasets,omitempty"` // those that are read most, at most MaxDatasets; "" is what is kept about customers and tables

	Connections    int           `json:"connections,omitempty"` // of the server, now
	MaxConnections int           `json:"max_connections,omitempty"`
	Replicas       int           `json:"replicas,omitempty"`
	Lag            time.Duration `json:"lag_ns,omitempty"` // of the replica that is furthest behind, 0 without one; -1: not known
}

// MaxDatasets bounds Counters.Datasets.
const MaxDatasets = 256

// Counted is what is counted of the tables of one dataset.
type Counted struct {
	Read     int64 `json:"blocks_read"`
	Hit      int64 `json:"blocks_hit"`
	Changed  int64 `json:"changed"`             // rows inserted, updated, deleted
	RowBytes int64 `json:"row_bytes,omitempty"` // on average, as the planner believes
}

// A Source is a database that counts.
type Source interface {
	// Counters returns the counters; ErrNotCounted where there are none.
	Counters(ctx context.Context) (*Counters, error)
}

// ErrNotCounted says that the database does not count what it does.
var ErrNotCounted = errors.New("the database does not count what it does")

// Since returns what was counted since a time before, with At the time of c.
// What stands lower than before has begun anew at 0.
func (c *Counters) Since(before *Counters) *Counters {
	d := &Counters{At: c.At, Reads: grown(before.Reads, c.Reads), Writes: grown(before.Writes, c.Writes),
		Read: grown(before.Read, c.Read), Hit: grown(before.Hit, c.Hit), Log: grown(before.Log, c.Log),
		Connections: c.Connections, MaxConnections: c.MaxConnections, Replicas: c.Replicas, Lag: c.Lag}
	for name, now := range c.Datasets {
		// A table that was not there is new; but where not all are told, it may
		// only have come in among them, with its whole past.
		if was, ok := before.Datasets[name]; ok || len(before.Datasets) < MaxDatasets {
			if d.Datasets == nil {
				d.Datasets = make(map[string]Counted, len(c.Datasets))
			}
			d.Datasets[name] = Counted{Read: grown(was.Read, now.Read), Hit: grown(was.Hit, now.Hit),
				Changed: grown(was.Changed, now.Changed), RowBytes: now.RowBytes}
		}
	}
	return d
}

func grown(was, is int64) int64 {
	if is < was {
		return is
	}
	return is - was
}

// LogOf estimates the part that a dataset has in the log of d, a difference:
// that of its changed rows, by their size and what a row takes besides.
func (c *Counters) LogOf(dataset string) int64 {
	var all float64
	for _, d := range c.Datasets {
		all += d.weight()
	}
	if all == 0 {
		return 0
	}
	return int64(float64(c.Log) * c.Datasets[dataset].weight() / all)
}

// rowLog is what the log of a changed row takes beside its content: heads of
// the record and the row, and the entry of the key's index.
const rowLog = 150

func (d Counted) weight() float64 { return float64(d.Changed) * float64(d.RowBytes+rowLog) }
