package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
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
	b.report.add("run", "%d cores, %s, %s, %d customers, %d workers, seed %d", runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateOnly), b.customers, b.workers, b.seed)
	if b.customers < 2000 {
		b.report.add("goals of blocks are those of 2,000 customers", "what one server does by itself weighs more with fewer")
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"uploads", b.measureUploads}, {"pace", b.measurePace}, {"fleet", b.fleet}} {
		if b.only != "" && b.only != part.name {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
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

// fleet measures both systems.
func (b *bench) fleet(ctx context.Context) error {
	theirs, err := b.measureB(ctx)
	if err != nil {
		return err
	}
	ours, err := b.measureA(ctx)
	if err != nil {
		return err
	}
	b.compare(ours, theirs)
	return nil
}
