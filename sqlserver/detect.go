package sqlserver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
)

// know returns the source's facts and finds them out if need be.
func (s *Source) know(ctx context.Context) (*facts, error) {
	if f := s.facts.Load(); f != nil {
		return f, nil
	}
	select {
	case s.detecting <- struct{}{}:
		defer func() { <-s.detecting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if f := s.facts.Load(); f != nil {
		return f, nil
	}
	d := detection{source: s, facts: &facts{}}
	if err := d.run(ctx); err != nil {
		return nil, err
	}
	s.setIsolation(d.probe.Snapshot && !d.facts.dialect.committed)
	s.facts.Store(d.facts)
	return d.facts, nil
}

// dialect is the server's as far as it is known.
func (s *Source) dialect() *dialect {
	if f := s.facts.Load(); f != nil {
		return &f.dialect
	}
	return &dialect{}
}

// A detection finds facts out.
type detection struct {
	source *Source
	facts  *facts
	probe  Probe // what the parts have told on the way
}

func (d *detection) run(ctx context.Context) error {
	if err := d.ceiling(ctx); err != nil {
		return err
	}
	for _, part := range markParts {
		if err := d.part(ctx, part); err != nil {
			return err
		}
	}
	ok, _, err := d.try(ctx, rowsPart, rowsSQL([]int32{0}), isolationCommitted)
	switch {
	case err != nil:
		return err
	case ok:
		d.facts.parts = append(d.facts.parts, rowsPart)
	default:
		d.note("not visible: " + rowsPart.lack)
	}
	if ok, _, err = d.try(ctx, nil, "SELECT 1 AS one"+lookupHints+";\n", isolationCommitted); err != nil {
		return err
	} else if !ok {
		d.facts.dialect.noHints = true
		d.note("query hints are refused: reads may use more than one processor, and plans depend on the first values")
	}
	if d.probe.Snapshot {
		if ok, _, err = d.try(ctx, nil, "SELECT 1 AS one;\n", isolationSnapshot); err != nil {
			return err
		} else if !ok {
			d.facts.dialect.committed = true
			d.note("SNAPSHOT isolation is refused, although the database allows it: rows are read under READ COMMITTED")
		}
	}
	return nil
}

// ceiling tries the one part that cannot be done without. Where that fails,
// it may be for the head of the batch: each setting is tried alone.
func (d *detection) ceiling(ctx context.Context) error {
	ok, seen, err := d.try(ctx, ceilingPart, ceilingPart.sql, isolationCommitted)
	if err == nil && !ok {
		refused := false
		for i, setting := range settings {
			alone := dialect{}
			for n := range alone.refused {
				alone.refused[n] = n != i
			}
			st := d.source.plain("SELECT 1 AS one;\n")
			st.dialect = &alone
			if err := d.source.run(ctx, st, drain); lacking(err) {
				d.facts.dialect.refused[i], refused = true, true
				d.note("SET " + setting.name + " is refused: " + setting.lack)
			} else if err != nil {
				return err
			}
		}
		if refused {
			ok, seen, err = d.try(ctx, ceilingPart, ceilingPart.sql, isolationCommitted)
		}
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: %w", ErrNoCeiling, d.refusal(ctx))
	case !seen:
		return errors.New("the server gave no answer")
	case d.probe.DBTS == 0 || d.probe.Ceiling == 0:
		return fmt.Errorf("%w: it answers with no row version", ErrNoCeiling)
	}
	d.facts.parts = append(d.facts.parts, ceilingPart)
	return nil
}

// refusal is the server's error about the ceiling.
func (d *detection) refusal(ctx context.Context) error {
	st := d.source.plain(ceilingPart.sql)
	st.dialect = &d.facts.dialect
	return d.source.run(ctx, st, drain)
}

// part tries a part, or what smaller parts can tell of it.
func (d *detection) part(ctx context.Context, part *probePart) error {
	ok, seen, err := d.try(ctx, part, part.sql, isolationCommitted)
	if err != nil {
		return err
	}
	if ok && seen {
		d.facts.parts = append(d.facts.parts, part)
		return nil
	}
	d.note("not visible: " + part.lack)
	if ok {
		return nil // it is there, and empty
	}
	for _, small := range part.smaller {
		ok, seen, err := d.try(ctx, small, small.sql, isolationCommitted)
		if err != nil {
			return err
		}
		if ok && seen {
			d.facts.parts = append(d.facts.parts, small)
		}
	}
	return nil
}

// try runs a statement; ok is false where the server refuses it, seen tells
// whether it gave a row.
func (d *detection) try(ctx context.Context, part *probePart, sql string, level isolation) (ok, seen bool, err error) {
	st := d.source.plain(sql)
	st.dialect, st.level = &d.facts.dialect, level
	err = d.source.run(ctx, st, func(r *rows) error {
		return r.eachRow(func(v []driver.Value) error {
			seen = true
			if part != nil && part != rowsPart {
				part.read(&d.probe, v)
			}
			return nil
		})
	})
	if lacking(err) {
		return false, false, nil
	}
	return err == nil, seen, err
}

func (d *detection) note(text string) { d.facts.notes = append(d.facts.notes, text) }
