package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tidemark/cloud/dataset"
	"tidemark/cloud/ledger"
	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// ddlLockTimeout is how long a change of a table waits for those who use it:
// short, because everybody else waits behind it. It is tried again.
const ddlLockTimeout = "3s"

// Register implements cloud.Tables. One registration of a dataset runs at a
// time, in all processes.
func (s *Store) Register(ctx context.Context, customer, table string, schema wire.Schema) (wire.Table, error) {
	held, err := s.Table(ctx, customer, table)
	if err == nil && held.Version.Schema == schema.Fingerprint() {
		return held, nil
	}
	if err != nil && !isProblem(err, wire.NotFound) {
		return wire.Table{}, err
	}
	var before state
	err = s.run(ctx, func(c *session) error {
		r := registration{c: c, customer: customer, table: table, schema: schema}
		err := r.run(ctx, s.options.SchemaTimeout.Milliseconds())
		before = r.state
		return err
	})
	if err != nil {
		return wire.Table{}, err
	}
	s.datasets.forget(table)
	answer := before.answer(table)
	answer.Schema = schema
	return answer, nil
}

func isProblem(err error, code wire.Code) bool {
	var p *wire.Problem
	return errors.As(err, &p) && p.Code == code
}

// A registration is one attempt to register a schema.
type registration struct {
	c               *session
	customer, table string
	schema          wire.Schema

	old   *shared      // the dataset; nil when it is new
	mine  *wire.Schema // the customer's; nil when it has none
	state state

	distributes bool // new tables are to be distributed over a cluster
}

func (r *registration) run(ctx context.Context, timeout int64) error {
	err := r.c.pipeline(ctx, statement{sql: "BEGIN"},
		statement{sql: fmt.Sprintf("SET LOCAL statement_timeout = %d", timeout)},
		statement{sql: "SET LOCAL lock_timeout = '" + ddlLockTimeout + "'"},
		statement{sql: "SELECT pg_advisory_xact_lock($1, hashtext($2))", args: []any{int32(datasetLocks), r.table}})
	if err != nil {
		return err
	}
	if err := r.load(ctx); err != nil {
		return err
	}
	change, err := r.change(ctx)
	if err != nil {
		return err
	}
	if err := r.changeTable(ctx, change); err != nil {
		return err
	}
	fingerprint := r.schema.Fingerprint()
	if r.mine == nil {
		r.state.State = ledger.State{Version: wire.Version{Schema: fingerprint}}
		r.state.secret = summary.NewSecret()
	} else {
		if !sums.Survives(*r.mine, r.schema, change.Reload) {
			r.state.mark = sums.Mark{}
		}
		r.state.State = r.state.Register(fingerprint, change.Reload)
	}
	document, err := json.Marshal(r.schema)
	if err != nil {
		return err
	}
	return r.c.pipeline(ctx,
		statement{sql: `INSERT INTO tidemark.schemas (customer, name, document) VALUES ($1, $2, $3)
			ON CONFLICT (customer, name) DO UPDATE SET document = excluded.document`, args: []any{r.customer, r.table, string(document)}},
		statement{sql: "INSERT INTO tidemark.versions (customer, name, schema, secret) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			args: []any{r.customer, r.table, fingerprint, r.state.secret[:]}},
		statement{sql: "INSERT INTO tidemark.tokens (customer) VALUES ($1) ON CONFLICT DO NOTHING", args: []any{r.customer}},
		r.state.write(r.customer, r.table),
		statement{sql: "COMMIT"})
}

// datasetLocks is the class of the advisory locks of datasets.
const datasetLocks = 0x74_6d_64 // "tmd"

// load reads what there is, with customer and version locked.
func (r *registration) load(ctx context.Context) error {
	var exists bool
	err := r.c.QueryRow(ctx, "SELECT true FROM tidemark.customers WHERE id = $1 FOR KEY SHARE", r.customer).Scan(&exists)
	if errors.Is(err, pgx.ErrNoRows) {
		return unknownCustomer(r.customer)
	}
	if err != nil {
		return err
	}
	if r.old, err = r.c.readDataset(ctx, r.table, "FOR UPDATE"); err != nil {
		return err
	}
	var document []byte
	err = r.c.QueryRow(ctx, "SELECT "+versionColumns+`, s.document
		FROM tidemark.versions v JOIN tidemark.schemas s USING (customer, name) WHERE v.customer = $1 AND v.name = $2 FOR UPDATE OF v`,
		r.customer, r.table).Scan(append(r.state.columns(), &document)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	r.state.scanned()
	r.mine = new(wire.Schema)
	return json.Unmarshal(document, r.mine)
}

// change asks what becomes of the dataset.
func (r *registration) change(ctx context.Context) (dataset.Change, error) {
	request := dataset.Request{Name: r.table, Schema: r.schema, Before: r.mine}
	var others bool
	if err := r.c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM tidemark.schemas WHERE name = $1 AND customer <> $2)", r.table, r.customer).Scan(&others); err != nil {
		return dataset.Change{}, err
	}
	request.Alone = !others && r.state.Version.Rows == 0
	var failed error
	request.Taken = func(id string) (taken bool) {
		err := r.c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM tidemark.datasets WHERE identifier = $1)", id).Scan(&taken)
		failed = errors.Join(failed, err)
		return taken
	}
	var old dataset.Dataset
	if r.old != nil {
		old = r.old.Dataset
	}
	change, err := old.Register(request)
	return change, errors.Join(failed, err)
}
