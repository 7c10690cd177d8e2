package sqlserver

import (
	"context"
	"database/sql/driver"

	"tidemark/internal/wire"
)

// High tells whether any row has a version in (from, ceiling]. Where an index
// leads with the row version, rv is the highest of them and the question
// costs one seek; elsewhere rv is that of some such row, and where there is
// none the whole table has been read for the answer, in windows.
func (s *Source) High(ctx context.Context, t *Table, from, ceiling uint64) (rv uint64, found bool, err error) {
	op := "look for changes of " + t.String()
	r := s.Reader(t, Limits{})
	if err := r.refused(); err != nil {
		return 0, false, named(op, err)
	}
	if t.RowVersion == "" {
		return 0, false, named(op, ErrNoDelta)
	}
	if from >= ceiling {
		return 0, false, nil
	}
	if t.RowVersionIndexed {
		err = r.query(ctx, t.highSQL(), r.deltaArgs(from, ceiling), func(rs *rows) (err error) {
			found, rv, err = readVersion(rs)
			return err
		})
		return rv, found, named(op, err)
	}
	r.rows = bareKeyPlan(t)
	r.limits.ChunkRows = 1
	var at Cursor
	for {
		var out wire.Lines
		chunk, err := r.inKeyWindows(ctx, from, ceiling, at, &out)
		switch {
		case err != nil:
			return 0, false, named(op, err)
		case chunk.Rows > 0:
			versions, err := versionsOf(out)
			if err != nil {
				return 0, false, named(op, err)
			}
			return versions[0], true, nil
		case chunk.Done:
			return 0, false, nil
		}
		at = chunk.Next
	}
}

// deltaArgs are the ends of a delta as parameters.
func (r *Reader) deltaArgs(from, ceiling uint64) []driver.NamedValue {
	return []driver.NamedValue{param("from", rvArg(from)), param("ceiling", rvArg(ceiling))}
}

// readVersion reads an answer of at most one row version.
func readVersion(rs *rows) (found bool, rv uint64, err error) {
	if err := check(rs, []shape{{name: "BINARY", length: anyLength}}); err != nil {
		return false, 0, err
	}
	err = rs.eachRow(func(v []driver.Value) error {
		found, rv = true, rvOf(v[0])
		return nil
	})
	return found, rv, err
}
