package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"tidemark/internal/fault"
)

// Options bound what the store takes of its server. Zero values are the
// defaults.
type Options struct {
	Connections      int           // at most, fewer while other instances have their share; default 20
	Reserve          int           // connections that all instances together leave to others; default an eighth, negative none
	Passing          bool          // a command: it is not counted among the instances that share the connections
	Rebalance        time.Duration // between looks at who shares them; default 10 s
	Patience         time.Duration // waiting for a connection that other instances have too many of; default 10 s
	StatementTimeout time.Duration // of every statement but those of registration; default 2 min
	LockTimeout      time.Duration // waiting for one lock; default 10 s
	IdleTimeout      time.Duration // a transaction that waits for the client; default 1 min
	SchemaTimeout    time.Duration // one statement of a registration, which may rewrite a table; default 30 min
	Logger           *zap.Logger   // of upkeep that failed, and of the share; nil: none
	WithoutSummaries bool          // batches keep none, so that their price can be measured
}

func (o Options) withDefaults() Options {
	setDefault(&o.Connections, 20)
	setDefault(&o.Rebalance, 10*time.Second)
	setDefault(&o.Patience, 10*time.Second)
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
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

// openPool connects to the server of the connection string, checks that it
// can be worked with, and takes a share of its connections.
func openPool(ctx context.Context, dsn string, o Options) (*connections, error) {
	const op = "open the Postgres store"
	config, err := parseConfig(dsn)
	if err != nil {
		return nil, fault.New(op, err, "the form is postgres://user@host:5432/database?sslmode=verify-full")
	}
	if o.Connections < 1 {
		return nil, fault.New(op, errors.New("at least one connection is needed"), "")
	}
	// Statements depend on the table and would crowd a cache of prepared ones.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity = 0
	config.ConnConfig.DescriptionCacheCapacity = 0
	setParameters(config.ConnConfig.RuntimeParams, o)
	c, err := connect(ctx, config, o)
	switch {
	case errors.Is(err, errNoSlot):
		return nil, fault.New(op, err, slotHint)
	case err != nil:
		return nil, fault.New(op, err, "")
	}
	if limit := c.limit.Load(); int64(o.Connections) > limit {
		c.close()
		return nil, fault.New(op, fault.New("check the server", fmt.Errorf("%d connections are wanted and it allows this user %d", o.Connections, limit),
			"lower the store's connections, or raise max_connections (or the role's or the database's limit)"), "")
	}
	return c, nil
}

const searchPath = "pg_catalog, pg_temp"

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
	// The server notices within two minutes that this machine is gone, and frees what its sessions hold.
	p["tcp_keepalives_idle"], p["tcp_keepalives_interval"], p["tcp_keepalives_count"] = "60", "10", "6"
	p["client_encoding"] = "UTF8"
	p["timezone"] = "UTC"
	p["datestyle"] = "ISO, YMD"
	p["bytea_output"] = "hex"
	p["extra_float_digits"] = "1"
	p["search_path"] = searchPath // pg_temp not before: a dataset may be named date, and its stage a type
	p["default_transaction_isolation"] = "read committed"
	p["work_mem"] = "16MB" // a batch is sorted in memory
	p["jit"] = "off"       // plans are short; compiling them costs more than it gains
}

// checkServer returns how many connections the server allows this user, and
// the database's number.
func checkServer(ctx context.Context, conn *pgx.Conn) (limit int, database uint32, err error) {
	var version int
	var encoding, shown, path string
	err = conn.QueryRow(ctx, `
		SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding'),
		       least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
		                 - coalesce(current_setting('reserved_connections', true), '0')::int,
		             nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1)), d.oid, current_setting('search_path')
		FROM pg_roles r, pg_database d WHERE r.rolname = session_user AND d.datname = current_database()`).
		Scan(&version, &shown, &encoding, &limit, &database, &path)
	switch {
	case err != nil:
		return 0, 0, err
	case version < minVersion:
		return 0, 0, fault.New("check the server", fmt.Errorf("it is Postgres %s", shown), "Postgres 13 or later is needed")
	case encoding != "UTF8":
		return 0, 0, fault.New("check the database", fmt.Errorf("its encoding is %s", encoding),
			"create the database with ENCODING 'UTF8' TEMPLATE template0")
	case path != searchPath:
		return 0, 0, fault.New("check the session", errors.New("its settings did not reach the server"),
			"connect to Postgres itself: a pooler in between has left them out")
	}
	return limit, database, nil
}
