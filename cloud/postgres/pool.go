package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"tidemark/internal/fault"
)

// Options bound what the store takes of its server. Zero values are the
// defaults.
type Options struct {
	Connections      int           // at most, 1 to the server's own limit; default 20
	StatementTimeout time.Duration // of every statement but those of registration; default 2 min
	LockTimeout      time.Duration // waiting for one lock; default 10 s
	IdleTimeout      time.Duration // a transaction that waits for the client; default 1 min
	SchemaTimeout    time.Duration // one statement of a registration, which may rewrite a table; default 30 min
	Logger           *zap.Logger   // of upkeep that failed; nil: none
	WithoutSummaries bool          // batches keep none, so that their price can be measured
}

func (o Options) withDefaults() Options {
	setDefault(&o.Connections, 20)
	setDefault(&o.StatementTimeout, 2*time.Minute)
	setDefault(&o.LockTimeout, 10*time.Second)
	setDefault(&o.IdleTimeout, time.Minute)
	setDefault(&o.SchemaTimeout, 30*time.Minute)
	return o
}

func setDefault[T int | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

// minVersion is Postgres 13, as server_version_num writes it.
const minVersion = 130000

// openPool connects to the server of the connection string and checks that
// it can be worked with.
func openPool(ctx context.Context, dsn string, o Options) (*pgxpool.Pool, error) {
	const op = "open the Postgres store"
	config, err := parseConfig(dsn)
	if err != nil {
		return nil, fault.New(op, err, "the form is postgres://user@host:5432/database?sslmode=verify-full")
	}
	config.MaxConns = int32(o.Connections)
	config.MinConns = 0
	// Statements depend on the table and would crowd a cache of prepared ones.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity = 0
	config.ConnConfig.DescriptionCacheCapacity = 0
	setParameters(config.ConnConfig.RuntimeParams, o)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fault.New(op, err, "")
	}
	if err := checkServer(ctx, pool, o); err != nil {
		pool.Close()
		return nil, fault.New(op, err, "")
	}
	return pool, nil
}

// setParameters sets what a session's text forms and deadlines depend on,
// whatever the server, the database or the role say.
func setParameters(p map[string]string, o Options) {
	if p["application_name"] == "" {
		p["application_name"] = "tidemark-cloud"
	}
	milliseconds := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	p["statement_timeout"] = milliseconds(o.StatementTimeout)
	p["lock_timeout"] = milliseconds(o.LockTimeout)
	p["idle_in_transaction_session_timeout"] = milliseconds(o.IdleTimeout)
	p["client_encoding"] = "UTF8"
	p["timezone"] = "UTC"
	p["datestyle"] = "ISO, YMD"
	p["bytea_output"] = "hex"
	p["extra_float_digits"] = "1"
	p["search_path"] = "pg_catalog, pg_temp" // not before: a dataset may be named date, and its stage a type
	p["default_transaction_isolation"] = "read committed"
	p["work_mem"] = "16MB" // a batch is sorted in memory
	p["jit"] = "off"       // plans are short; compiling them costs more than it gains
}

func checkServer(ctx context.Context, pool *pgxpool.Pool, o Options) error {
	var version, limit int
	var encoding, shown string
	err := pool.QueryRow(ctx, `
		SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding'),
		       least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		                 - coalesce(current_setting('reserved_connections', true), '0')::int,
		             nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1))
		FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()`).
		Scan(&version, &shown, &encoding, &limit)
	switch {
	case err != nil:
		return err
	case version < minVersion:
		return fault.New("check the server", fmt.Errorf("it is Postgres %s", shown), "Postgres 13 or later is needed")
	case encoding != "UTF8":
		return fault.New("check the database", fmt.Errorf("its encoding is %s", encoding),
			"create the database with ENCODING 'UTF8' TEMPLATE template0")
	case o.Connections > limit:
		return fault.New("check the server", fmt.Errorf("%d connections are wanted and it allows this user %d", o.Connections, limit),
			"lower the store's connections, or raise max_connections (or the role's or the database's limit)")
	case o.Connections < 1:
		return errors.New("at least one connection is needed")
	}
	return nil
}
