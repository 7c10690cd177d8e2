package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/pgtest"
)

// A bench is one run: both systems in one server.
type bench struct {
	options
	workload workload
	pg       *pgtest.Server
	report   report
}

func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{options: o, workload: workload{seed: o.seed, customers: o.customers}}
	var err error
	b.pg, err = pgtest.Launch(ctx)
	return b, err
}

func (b *bench) close(context.Context) error { return b.pg.Close() }

func (b *bench) run(ctx context.Context) error {
	defer b.report.print(os.Stdout)
	return b.fleet(ctx)
}

// open makes a database and a counter of it.
func (b *bench) open(ctx context.Context, rows string) (dsn string, c counter, err error) {
	name, err := b.pg.CreateDatabase(ctx)
	if err != nil {
		return "", c, err
	}
	dsn = b.pg.DSN(name)
	admin, err := pgx.Connect(ctx, dsn)
	return dsn, counter{admin: admin, database: name, rows: rows}, err
}

// begun is when simulated time begins: two quiet hours before the day that is
// measured, in which the fleet loads.
var begun = day0.Add(22 * time.Hour)

// theDay begins here.
var theDay = day0.Add(24 * time.Hour)

// quarter is how much of an hour the baseline is sampled for.
const quarter = 15 * time.Minute

// fleet measures both systems.
func (b *bench) fleet(ctx context.Context) (err error) {
	base, err := b.newB(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, base.close(ctx)) }()
	for _, hour := range []int{2, 7, 10} {
		if _, err := base.sample(ctx, hour, quarter); err != nil {
			return err
		}
	}
	a, err := b.newA(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close(ctx)) }()
	return a.day(ctx)
}
