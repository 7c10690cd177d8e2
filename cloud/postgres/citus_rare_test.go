package postgres_test

import (
	"crypto/sha256"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// ofAll are the statements that read more than one customer's rows, by how they
// begin, each with the reason why it may. All others, rare ones too, go to one
// node, or read reference tables, which every node has.
var ofAll = map[string]string{
	"SELECT id, name, created FROM tidemark.customers ORDER BY id":                          "what operators and the fleet page list is all customers",
	"SELECT customer, received, document FROM tidemark.reports":                             "the fleet page, while somebody looks: all reports once, then those that came since, a page at a time",
	"SELECT EXISTS (SELECT FROM tidemark.schemas WHERE name = $1 AND customer <> $2)":       "once for each schema of a table: whether others have the dataset decides what may become of it",
	"SELECT customer, name, loaded, CASE WHEN summed = seq THEN summary ELSE 0 END\n\tFROM": "after a start, the search for summaries that are lacking: names and numbers, a page at a time",
}

// hot are the methods that hotPath calls, and those that send no statement.
var hot = []string{"Apply", "Delete", "Keys", "Versions", "VersionsToken", "Table", "PutReport", "Documents", "Summarize", "Tree", "Leaves", "Differences", "List", "Compare",
	"Close", "Connections", "Ready", "Refused"}

// What the store does beside the hot path is for one customer, too, or it is
// in ofAll.
func TestCitusRareStatements(t *testing.T) {
	w := watch(t)
	acme := newSite(t, w.Store, "acme", "t", narrow)
	acme.load(narrowRows(0, 200, 1), 100)
	ctx, now := t.Context(), time.Now()
	key := func(s string) cloud.Key { return cloud.Key{Hash: sha256.Sum256([]byte(s)), Created: now} }
	invitation := cloud.Invitation{Customer: "acme", Hash: sha256.Sum256([]byte("i")), Created: now, Expires: now.Add(time.Hour)}
	ada := func(s string) cloud.OperatorKey { return cloud.OperatorKey{Name: "ada", Key: key(s)} }
	steps := []struct { // in an order in which they have something to do
		method string
		do     func() error
	}{
		{"AddCustomer", func() error { return w.AddCustomer(ctx, cloud.Customer{ID: "umbrella", Created: now}, key("u")) }},
		{"Register", func() error {
			_, err := w.Register(ctx, "acme", "another", acme.schema)
			return err
		}},
		{"ListCustomers", func() error { _, err := w.ListCustomers(ctx); return err }},
		{"RotateKey", func() error { return w.RotateKey(ctx, "acme", key("r"), now, now) }},
		{"Invite", func() error { return w.Invite(ctx, invitation) }},
		{"Invitations", func() error { _, err := w.Invitations(ctx, "acme"); return err }},
		{"Redeem", func() error { return w.Redeem(ctx, "acme", invitation.Hash, key("i"), now) }},
		{"Release", func() error { _, err := w.Release(ctx, "acme", "t"); return err }},
		{"Change", func() error {
			_, err := w.Change(ctx, cloud.Change{At: now, Who: "w", Why: "y", Action: "a", Documents: []cloud.Document{{Kind: cloud.KindPolicy, Body: "{}"}}})
			return err
		}},
		{"Act", func() error {
			return w.Act(ctx, cloud.Change{At: now, Who: "w", Action: "table release", Subject: "customer acme t"}, func(a cloud.Acts) error {
				_, err := a.Release(ctx, "acme", "t")
				return err
			})
		}},
		{"Recorded", func() error { _, err := w.Recorded(ctx, cloud.RecordQuery{}); return err }},
		{"DropRecorded", func() error { _, err := w.DropRecorded(ctx, now.Add(time.Hour), 10); return err }},
		{"Datasets", func() error { _, err := w.Datasets(ctx); return err }},
		{"Observe", func() error { _, err := w.Observe(ctx, "i", "{}", time.Minute); return err }},
		{"Observed", func() error { _, err := w.Observed(ctx, time.Minute); return err }},
		{"Report", func() error { _, err := w.Report(ctx, "acme"); return err }},
		{"EachReport", func() error { return w.EachReport(ctx, time.Time{}, func(cloud.Report) error { return nil }) }},
		{"Recent", func() error { _, err := w.Recent(ctx, "acme"); return err }},
		{"AddOperator", func() error { return w.AddOperator(ctx, ada("1")) }},
		{"RotateOperator", func() error { return w.RotateOperator(ctx, ada("2"), now, now) }},
		{"OperatorKeys", func() error { _, err := w.OperatorKeys(ctx); return err }},
		{"RemoveOperator", func() error { return w.RemoveOperator(ctx, "ada") }},
		{"KeepCosts", func() error {
			return w.KeepCosts(ctx, []cost.Record{{Span: cost.Hour, At: now.Truncate(time.Hour), Instance: "i", Window: &cost.Window{}}})
		}},
		{"Costs", func() error { _, err := w.Costs(ctx, cost.Hour, now, now, false); return err }},
		{"DropCosts", func() error { return w.DropCosts(ctx, cost.Hour, now) }},
		{"Counters", func() error { _, err := w.Counters(ctx); return err }},
		{"Fold", func() error { return w.Fold(ctx, "acme", "t") }},
		{"Scrub", func() error { _, err := w.Scrub(ctx, "acme", "t"); return err }},
		{"Rows", func() error { return w.Rows(ctx, "acme", "t", func(cloud.Row) error { return nil }) }},
		{"Drop", func() error {
			_, err := w.Drop(ctx, "acme", "t", cloud.Drop{Writer: wire.Writer{ID: "w"}})
			return err
		}},
		{"RemoveCustomer", func() error { return w.RemoveCustomer(ctx, "acme") }},
		{"CatchUp", func() error {
			w.CatchUp()
			waitFor(t, func() bool { return w.tap.saw("SELECT name, number FROM tidemark.summaries") })
			return nil
		}},
	}
	if _, err := w.Summarize(ctx, "acme", "t"); err != nil {
		t.Fatal(err)
	}
	methods := slices.Clone(hot)
	w.tap.begin()
	for _, s := range steps {
		if err := s.do(); err != nil {
			t.Errorf("%s: %v", s.method, err)
		}
		methods = append(methods, s.method)
	}
	for m := range reflect.TypeFor[*postgres.Store]().Methods() {
		if !slices.Contains(methods, m.Name) {
			t.Errorf("nobody has looked at the statements of %s", m.Name)
		}
	}
	met := map[string]bool{}
	w.check(func(sql, what string) {
		for begins := range ofAll {
			if strings.HasPrefix(sql, begins) {
				met[begins] = true
				return
			}
		}
		t.Errorf("%s: %s", what, sql)
	})
	for begins, why := range ofAll {
		if !met[begins] {
			t.Errorf("it is not of all customers, or not sent: %s (%s)", begins, why)
		}
	}
}
