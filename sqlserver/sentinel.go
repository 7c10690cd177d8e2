package sqlserver

import (
	"bytes"
	"context"

	"tidemark/internal/wire"
)

// A Sentinel is a row as it was once read: its key as a JSON array and its
// version. A restored database can reach the old counter again; its rows
// still are older than they were.
type Sentinel struct {
	Key     []byte
	Version uint64
}

// A SentinelState is what became of a Sentinel.
type SentinelState int

// The states.
const (
	SentinelGone  SentinelState = iota // no row has the key any more
	SentinelOK                         // the row is as remembered
	SentinelNewer                      // it was changed since
	SentinelOlder                      // it has an older version than remembered: the source went back
)

// Sentinels reads the remembered rows' versions again and returns what became
// of each. Only a table with a rowversion column has them.
func (s *Source) Sentinels(ctx context.Context, t *Table, remembered []Sentinel) ([]SentinelState, error) {
	op := "look at remembered rows of " + t.String()
	if t.RowVersion == "" {
		return nil, named(op, ErrNoDelta)
	}
	r := s.Reader(t, Limits{})
	keys := make([][]byte, len(remembered))
	for i, m := range remembered {
		keys[i] = m.Key
	}
	states := make([]SentinelState, len(remembered))
	for done := 0; done < len(keys); {
		var out wire.Lines
		f, err := r.lookup(ctx, op, r.keys, true, keys[done:], &out)
		if err != nil {
			return nil, err
		}
		versions, err := versionsOf(out)
		if err != nil {
			return nil, named(op, err)
		}
		for n, i := range f.Lines {
			switch was, is := remembered[done+i].Version, versions[n]; {
			case is == was:
				states[done+i] = SentinelOK
			case is > was:
				states[done+i] = SentinelNewer
			default:
				states[done+i] = SentinelOlder
			}
		}
		done += f.Asked
	}
	return states, nil
}

// versionsOf reads the row versions at the heads of lines.
func versionsOf(l wire.Lines) ([]uint64, error) {
	versions := make([]uint64, 0, l.N)
	for line := range bytes.Lines(l.Buf) {
		raws, err := wire.SplitRow(bytes.TrimSuffix(line, []byte("\n")), nil)
		if err != nil {
			return nil, err
		}
		v, err := parseVersion(raws[0])
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}
