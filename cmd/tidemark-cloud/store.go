package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/pflag"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/cloud/sqlite"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// storeVar names the store where --store does not.
const storeVar = "TIDEMARK_STORE"

// defaultStore is a file in the working directory.
const defaultStore = "sqlite:tidemark-cloud.db"

func (a *app) storeFlag(f *pflag.FlagSet) {
	f.StringVar(&a.store, "store", "", "sqlite:PATH or postgres://... (or "+storeVar+"; default "+defaultStore+")")
}

// storeURL is what names the store: the flag, the environment, the default.
func (a *app) storeURL() string {
	if a.store != "" {
		return a.store
	}
	if url := os.Getenv(storeVar); url != "" {
		return url
	}
	return defaultStore
}

var errStoreURL = errors.New("it begins neither with sqlite: nor with postgres://")

// open opens the store. No error repeats its URL, which may hold a password.
func (a *app) open(ctx context.Context, o postgres.Options) (cloud.Store, error) {
	url := a.storeURL()
	scheme, path, _ := strings.Cut(url, ":")
	switch {
	case scheme == "sqlite" && path != "" && !strings.HasPrefix(path, "//"):
		return opened(sqlite.Options{Logger: o.Logger}.Open(ctx, path))
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return opened(postgres.Open(ctx, url, o))
	}
	return nil, &command.ConfigError{Err: fault.New("read the store's URL", errStoreURL,
		"for example sqlite:/var/lib/tidemark/cloud.db, or postgres://tidemark@db:5432/tidemark?sslmode=verify-full")}
}

// opened tells a store that cannot be reached now from one that is not what
// was said: then it does not help to try again.
func opened[S cloud.Store](s S, err error) (cloud.Store, error) {
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, context.Canceled), errors.Is(err, cloud.ErrUnavailable):
		return nil, err
	case errors.As(err, new(*pgconn.ConnectError)) && !refused(err):
		return nil, unreachable{fault.New("reach the store", err, "is the server running, and are host and port right?")}
	case errors.As(err, new(*pgconn.ConnectError)):
		err = fault.New("reach the store", err, "database, user, password and pg_hba.conf decide who may connect")
	}
	return nil, &command.ConfigError{Err: err}
}

// refused tells whether the server answered, and does not know user, password
// or database (classes 28 and 3D of Postgres' error codes).
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (strings.HasPrefix(pg.Code, "28") || strings.HasPrefix(pg.Code, "3D"))
}

// unreachable is a store that could not be reached.
type unreachable struct{ error }

func (e unreachable) Unwrap() []error { return []error{e.error, cloud.ErrUnavailable} }

// withStore opens the store for f and closes it.
func (a *app) withStore(ctx context.Context, f func(cloud.Store) error) (err error) {
	s, err := a.open(ctx, postgres.Options{Connections: 2, Passing: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return f(s)
}
