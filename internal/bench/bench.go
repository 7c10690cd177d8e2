package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"tidemark/internal/pgtest"
)

// A bench is what all parts share: the programs under test, one Postgres
// server, one SQL Server stand-in.
type bench struct {
	options
	dir      string
	programs programs
	pg       *pgtest.Server
	source   *source
	report   report
	peak     int64 // of the agent at options.rows, bytes
}

func newBench(ctx context.Context, o options) (b *bench, err error) {
	b = &bench{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "tidemark-bench"); err != nil {
		return b, err
	}
	note("building the programs")
	if b.programs, err = buildPrograms(ctx, b.dir); err != nil {
		return b, err
	}
	if b.pg, err = pgtest.Launch(ctx); err != nil {
		return b, err
	}
	b.source, err = startSource(ctx)
	return b, err
}

func (b *bench) close() error {
	var errs []error
	if b.source != nil {
		errs = append(errs, b.source.stop())
	}
	if b.pg != nil {
		errs = append(errs, b.pg.Close())
	}
	if !b.keep {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}

// A site is an empty cloud with its API, and an agent that has not run yet.
type site struct {
	*bench
	name     string // of the database
	database string // connection string
	api      *api
	config   string
}

// newSite makes one for these tables of the source.
func (b *bench) newSite(ctx context.Context, tables []string) (*site, error) {
	name, err := b.pg.CreateDatabase(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "site")
	if err != nil {
		return nil, err
	}
	s := &site{bench: b, name: name, database: b.pg.DSN(name)}
	if s.api, err = startAPI(ctx, b.programs, s.database); err != nil {
		return nil, err
	}
	s.config, err = writeConfig(dir, s.api, b.source.dsn, tables, time.Second)
	if err != nil {
		return nil, errors.Join(err, s.api.stop())
	}
	return s, nil
}

// close ends the API and drops the database.
func (s *site) close(ctx context.Context) error {
	return errors.Join(s.api.stop(), s.pg.DropDatabase(ctx, s.name))
}

// note tells on standard error what takes a while.
func note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
