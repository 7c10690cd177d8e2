package postgres_test

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/fleet"
	"tidemark/cloud/postgres"
	"tidemark/internal/fault"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

var _ fleet.Store = (*postgres.Replica)(nil)

// A hot standby answers as the store does, to a user with the rights that
// docs/operations.md asks for and no others, and goes on with what is written.
func TestReplica(t *testing.T) {
	s, conn := open(t, postgres.Options{})
	site := newSite(t, s, "acme", "dbo.orders", narrow)
	site.load(narrowRows(1, 30, 1), 10)
	ctx := t.Context()
	now := time.Now().UTC().Truncate(time.Hour)
	for _, err := range []error{
		s.PutReport(ctx, cloud.Report{Customer: "acme", Received: now, Document: []byte(`{"os":"x"}`)}),
		s.KeepCosts(ctx, []cost.Record{{Span: cost.Hour, At: now, Instance: "a", Window: &cost.Window{}}}),
		cloud.Operator{Store: s, Who: "w", Why: "y"}.Join(ctx, "pilots", "acme"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	mayRead(t, conn, "reader")
	standby := pgtest.Standby(t, conn.Config().ConnString())
	r, err := postgres.OpenReplica(ctx, strings.Replace(standby, "tidemark@", "reader@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	read := func(f fleet.Store) (all []any) {
		t.Helper()
		customers, err1 := f.ListCustomers(ctx)
		report, err2 := f.Report(ctx, "acme")
		var each []cloud.Report
		err3 := f.EachReport(ctx, time.Time{}, func(r cloud.Report) error { each = append(each, r); return nil })
		revision, documents, err4 := f.Documents(ctx, -1)
		versions, err5 := f.Versions(ctx, "acme")
		recent, err6 := f.Recent(ctx, "acme")
		costs, err7 := f.Costs(ctx, cost.Hour, now, now.Add(time.Hour), false)
		for _, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(customers) != 1 || len(each) != 1 || len(documents) != 1 || len(versions.Tables) != 1 || len(recent) < 3 || len(costs) != 1 {
			t.Errorf("%v %v %v %v %v %v", customers, each, documents, versions, recent, costs)
		}
		return []any{customers, report, each, revision, documents, versions, recent, costs}
	}
	if d := cmp.Diff(read(s), read(r)); d != "" {
		t.Error(d)
	}
	site.apply(wire.Delta, texts(narrowRows(20, 20, 100))...)
	waitFor(t, func() bool { return cmp.Equal(read(s), read(r)) })
	if c, err := s.Counters(ctx); err != nil || c.Lag < 0 {
		t.Errorf("the replica's lag is not seen: %+v, %v", c, err)
	}
}

// mayRead makes a user with the rights that the documents name.
func mayRead(t *testing.T, conn *pgx.Conn, user string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(text), "USAGE of the schema `tidemark` and SELECT on its ")
	tables, _, _ = strings.Cut(tables, ":")
	names := regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(tables, -1)
	if len(names) == 0 {
		t.Fatal("operations.md names no tables")
	}
	exec(t, conn, "CREATE ROLE "+user+" LOGIN")
	t.Cleanup(func() { // in the server, users belong to all databases
		ctx := context.WithoutCancel(t.Context())
		for _, sql := range []string{"DROP OWNED BY " + user, "DROP ROLE " + user} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Error(err)
			}
		}
	})
	exec(t, conn, "GRANT USAGE ON SCHEMA tidemark TO "+user)
	for _, name := range names {
		exec(t, conn, "GRANT SELECT ON tidemark."+name[1]+" TO "+user)
	}
}

// A database that is not the store's, or behind it, is told from one that is.
func TestReplicaOfNothing(t *testing.T) {
	_, err := postgres.OpenReplica(t.Context(), pgtest.Start(t))
	if !errors.Is(err, cloud.ErrUnavailable) || !strings.Contains(err.Error(), "the database is at 0") || fault.Hint(err) == "" {
		t.Errorf("%v (%s)", err, fault.Hint(err))
	}
}
