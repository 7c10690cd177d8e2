package postgres

import (
	"context"

	"tidemark/cloud"
)

// beginRead begins a transaction that sees one moment. It can write staging
// tables.
const beginRead = begin + " ISOLATION LEVEL REPEATABLE READ"

// A reading is one attempt to read a customer's table at one moment.
type reading struct {
	c  *session
	p  *plan
	st state
}

// read gives f the table of a manifest, with a staging table if one is wanted.
func (s *Store) read(ctx context.Context, m cloud.Manifest, stage bool, f func(reading) error) error {
	return s.runOn(ctx, m.Table, m.Header.Rows, func(c *session) error {
		r, err := s.beginReading(ctx, c, m.Customer, m.Table, stage)
		if err != nil {
			return err
		}
		if err := r.st.AdmitManifest(m.Header); err != nil {
			return err
		}
		if r.p, err = s.datasets.plan(r.p.shared, m.Schema, m.Header.Schema); err != nil {
			return err
		}
		if err := f(r); err != nil {
			return err
		}
		return c.commit(ctx)
	})
}

// beginReading begins a transaction that sees the table at one moment, with a
// staging table if one is wanted. The reading's plan has no more than the
// dataset.
func (s *Store) beginReading(ctx context.Context, c *session, customer, table string, stage bool) (reading, error) {
	d, err := s.datasets.dataset(ctx, c, table)
	if err != nil {
		return reading{}, err
	}
	if d == nil {
		return reading{}, unregistered(table)
	}
	if stage {
		if err := c.prepareStage(ctx, d); err != nil {
			return reading{}, err
		}
	}
	st, err := c.begin(ctx, beginRead, readState, customer, table)
	if err != nil {
		return reading{}, err
	}
	if st.shape != d.shape {
		s.datasets.forget(table)
		return reading{}, errStale
	}
	return reading{c: c, p: &plan{shared: d}, st: st}, nil
}
