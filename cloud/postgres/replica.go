package postgres

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// A querier reads: a pool, or one connection.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// A Replica reads a database that somebody else writes, such as a hot standby:
// what the fleet page shows. It changes nothing, and migrates nothing.
type Replica struct{ pool *connections }

// replicaConnections bound what a Replica takes of its server, where they count
// as those of a store do.
const replicaConnections = 4

// OpenReplica connects to a database. It fails when that is not at this
// program's migration or a later one: with cloud.ErrUnavailable, because a
// replica that is behind catches up.
func OpenReplica(ctx context.Context, dsn string) (*Replica, error) {
	const op = "open the replica"
	config, err := parseConfig(dsn)
	if err != nil {
		return nil, fault.New(op, err, "the form is postgres://user@host:5432/database?sslmode=verify-full")
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	o := Options{Connections: replicaConnections}.withDefaults()
	setParameters(config.ConnConfig.RuntimeParams, o)
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	pool, err := connect(ctx, config, o)
	if err != nil {
		return nil, fault.New(op, err, "")
	}
	r := &Replica{pool}
	if err := r.check(ctx); err != nil {
		pool.close()
		return nil, fault.New(op, err, "")
	}
	return r, nil
}

func (r *Replica) check(ctx context.Context) error {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return err
	}
	var have int
	err = r.pool.QueryRow(ctx, "SELECT CASE WHEN to_regclass('tidemark.migrations') IS NULL THEN 0 ELSE 1 END").Scan(&have)
	if err == nil && have > 0 {
		err = r.pool.QueryRow(ctx, "SELECT max(number) FROM tidemark.migrations").Scan(&have)
	}
	if err != nil {
		return unavailable(err)
	}
	if have < len(names) {
		return fault.New("read the migrations", fmt.Errorf("%w: the database is at %d, this program needs %d", cloud.ErrUnavailable, have, len(names)),
			"is it a replica of the store's database? One that is behind catches up")
	}
	return nil
}

// Close closes the connections.
func (r *Replica) Close() { r.pool.close() }

// ListCustomers returns all customers, by ID.
func (r *Replica) ListCustomers(ctx context.Context) ([]cloud.Customer, error) {
	return listCustomers(ctx, r.pool)
}

// Report is as that of cloud.Reports.
func (r *Replica) Report(ctx context.Context, customer string) (cloud.Report, error) {
	return readReport(ctx, r.pool, customer)
}

// EachReport is as that of cloud.Reports.
func (r *Replica) EachReport(ctx context.Context, since time.Time, fn func(cloud.Report) error) error {
	return eachReport(ctx, r.pool, since, fn)
}

// Documents is as that of cloud.Control.
func (r *Replica) Documents(ctx context.Context, known int64) (revision int64, all []cloud.Document, err error) {
	return documents(ctx, r.pool, known)
}

// Versions is as that of cloud.Tables.
func (r *Replica) Versions(ctx context.Context, customer string) (wire.Versions, error) {
	return versionsOf(ctx, r.pool, customer)
}

// Recent implements cloud.Recent.
func (r *Replica) Recent(ctx context.Context, customer string) ([]cloud.Taken, error) {
	return recent(ctx, r.pool, customer)
}

// Costs is as that of cost.Store.
func (r *Replica) Costs(ctx context.Context, span time.Duration, since, until time.Time, counters bool) ([]cost.Record, error) {
	all, err := readCosts(ctx, r.pool, span, since, until, counters)
	return all, unavailable(err)
}
