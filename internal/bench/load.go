package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A round is one first load and one delta with what they are held against,
// all on the same rows.
type round struct {
	drain, load, check, copy, delta, upsert, nothing time.Duration

	loadCPU, deltaCPU, drainCPU, copyCPU, upsertCPU used

	peak int64
}

// load measures first loads and deltas.
func (b *bench) load(ctx context.Context) error {
	note("filling the source with %d rows", b.rows)
	const table = "dbo.first"
	if err := b.source.create(table, b.rows); err != nil {
		return err
	}
	var rounds []round
	for i := range b.runs {
		note("first load and delta, run %d of %d", i+1, b.runs)
		r, err := b.round(ctx, table, i)
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
	}
	b.reportLoad(rounds)
	return b.source.exec("DROP TABLE " + table)
}

func (b *bench) round(ctx context.Context, table string, number int) (r round, err error) {
	s, err := b.newSite(ctx, []string{table})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	conn, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	m := meter{api: s.api.cmd.Process.Pid, source: b.source.cmd.Process.Pid, conn: conn}
	steps := []func() error{
		func() error { return r.measureDrain(ctx, s, m, table) },
		func() error { return r.measureLoad(ctx, s, m) },
		func() error { return r.measureCopy(ctx, s, m) },
		func() error { return r.measureDelta(ctx, s, m, table, number) },
		func() error { return r.measureUpsert(ctx, s, m) },
	}
	for _, step := range steps {
		if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil { // that of the step before disturbs no other
			return r, err
		}
		if err := step(); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *round) measureDrain(ctx context.Context, s *site, m meter, table string) (err error) {
	var d drained
	r.drainCPU, err = m.during(ctx, func() (err error) { d, err = drain(ctx, roleDrain, s.source.dsn, table); return err })
	r.drain, r.drainCPU.reader = d.Wall, d.CPU
	if err == nil && d.Rows != s.rows {
		err = fmt.Errorf("the drain read %d rows of %d", d.Rows, s.rows)
	}
	return err
}

// measureLoad takes the command from its start until it has uploaded.
func (r *round) measureLoad(ctx context.Context, s *site, m meter) error {
	a, u, err := m.once(ctx, s)
	if err != nil {
		return err
	}
	r.load, r.check, r.loadCPU, r.peak = a.uploaded, a.wall-a.uploaded, u, a.peak
	return s.counts(ctx, m.conn)
}

// counts holds the cloud's rows against the source's.
func (s *site) counts(ctx context.Context, conn *pgx.Conn) error {
	table, err := dataTable(ctx, conn)
	if err != nil {
		return err
	}
	var n int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		return err
	}
	if n != s.rows {
		return fmt.Errorf("the cloud has %d rows of %d", n, s.rows)
	}
	return nil
}

func (r *round) measureCopy(ctx context.Context, s *site, m meter) error {
	table, err := dataTable(ctx, m.conn)
	if err != nil {
		return err
	}
	rows, err := unload(ctx, m.conn, table, s.dir)
	if err != nil {
		return err
	}
	r.copyCPU, err = m.during(ctx, func() (err error) { r.copy, err = copyBaseline(ctx, m.conn, table, rows); return err })
	return err
}

// measureDelta changes every so-manieth row, in key order all over the table,
// and has the agent send what changed.
func (r *round) measureDelta(ctx context.Context, s *site, m meter, table string, number int) error {
	idle, err := s.programs.once(ctx, s.config, nil)
	if err != nil {
		return err
	}
	r.nothing = idle.wall
	every := s.rows / s.delta
	change := fmt.Sprintf("UPDATE %s SET amount = amount + 1, flag = 1 - flag WHERE id %% %d = %d AND id <= %d", table, every, number%every, s.delta*every)
	if err := s.source.exec(change); err != nil {
		return err
	}
	a, u, err := m.once(ctx, s)
	r.delta, r.deltaCPU = a.uploaded, u
	return err
}

func (r *round) measureUpsert(ctx context.Context, s *site, m meter) error {
	table, err := dataTable(ctx, m.conn)
	if err != nil {
		return err
	}
	n, err := stage(ctx, m.conn, table)
	if err != nil {
		return err
	}
	if n != int64(s.delta) { // also: that the delta has arrived, and nothing else
		return fmt.Errorf("%d rows changed in the cloud, %d at the source", n, s.delta)
	}
	r.upsertCPU, err = m.during(ctx, func() (err error) { r.upsert, err = upsertBaseline(ctx, m.conn); return err })
	return err
}
