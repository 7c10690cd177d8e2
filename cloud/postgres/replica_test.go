package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/fleet"
	"tidemark/cloud/postgres"
	"tidemark/internal/fault"
	"tidemark/internal/pgtest"
)

var _ fleet.Store = (*postgres.Replica)(nil)

// A replica answers as the store does, in sessions that cannot write.
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
	r, err := postgres.OpenReplica(ctx, conn.Config().ConnString())
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
		if len(customers) != 1 || len(each) != 1 || len(documents) != 1 || len(versions.Tables) != 1 || len(recent) != 3 || len(costs) != 1 {
			t.Errorf("%v %v %v %v %v %v", customers, each, documents, versions, recent, costs)
		}
		return []any{customers, report, each, revision, documents, versions, recent, costs}
	}
	if d := cmp.Diff(read(s), read(r)); d != "" {
		t.Error(d)
	}
}

// A database that is not the store's, or behind it, is told from one that is.
func TestReplicaOfNothing(t *testing.T) {
	_, err := postgres.OpenReplica(t.Context(), pgtest.Start(t))
	if err == nil || !strings.Contains(err.Error(), "the database is at 0") || fault.Hint(err) == "" {
		t.Errorf("%v (%s)", err, fault.Hint(err))
	}
}
