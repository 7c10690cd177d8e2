package cost_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud/cost"
)

// Two minutes of two instances, and what the database counted meanwhile:
// upkeep has read more of a dataset than its requests have.
func twoMinutes(t *testing.T) *memory {
	t.Helper()
	var store memory
	counters := func(minute int, o, p cost.Counted, log int64) cost.Record {
		at := noon.Add(time.Duration(minute) * time.Minute)
		return cost.Record{Span: cost.Minute, At: at, Counters: &cost.Counters{At: at, Log: log, Datasets: map[string]cost.Counted{"o": o, "p": p}}}
	}
	m, n := cost.NewMeter(noon), cost.NewMeter(noon)
	add(m, "POST rows", "o", "acme", cost.Sums{Requests: 2, Time: time.Second, Changed: 60, Read: 10, Hit: 100})
	add(m, "GET versions", "", "acme", cost.Sums{Requests: 5, Time: time.Millisecond})
	add(n, "POST rows", "o", "globex", cost.Sums{Requests: 1, Time: 3 * time.Second, Changed: 40, Read: 5, Hit: 50})
	records := append(m.Turn(noon.Add(time.Minute)), n.Turn(noon.Add(time.Minute))...)
	add(n, "POST manifest", "p", "globex", cost.Sums{Requests: 1, Time: time.Second, Read: 1000, Hit: 1})
	records = append(records, n.Turn(noon.Add(2*time.Minute))...)
	records = append(records,
		counters(0, cost.Counted{Read: 1000, Hit: 1000, Changed: 500, RowBytes: 100}, cost.Counted{Read: 5, RowBytes: 100}, 1e6),
		counters(1, cost.Counted{Read: 1035, Hit: 1150, Changed: 600, RowBytes: 100}, cost.Counted{Read: 5, RowBytes: 100}, 1e6+50_000),
		counters(2, cost.Counted{Read: 1035, Hit: 1150, Changed: 600, RowBytes: 100}, cost.Counted{Read: 1005, RowBytes: 100}, 1e6+60_000))
	if err := store.KeepCosts(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	return &store
}

func TestReport(t *testing.T) {
	store := twoMinutes(t)
	read := func(q cost.Query) *cost.Report {
		t.Helper()
		q.Now, q.Since, q.Until = noon.Add(3*time.Minute), noon, noon.Add(3*time.Minute)
		r, err := cost.Read(t.Context(), store, q)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	o := cost.Entry{Name: "o", Sums: cost.Sums{Requests: 3, Time: 4 * time.Second, Changed: 100, Read: 15, Hit: 150}, AllRead: 35, AllHit: 150, Log: 50_000}
	p := cost.Entry{Name: "p", Sums: cost.Sums{Requests: 1, Time: time.Second, Read: 1000, Hit: 1}, AllRead: 1000}
	versions := cost.Entry{Sums: cost.Sums{Requests: 5, Time: time.Millisecond}}

	byDataset := read(cost.Query{By: cost.ByDataset})
	if d := cmp.Diff([]cost.Entry{p, o, versions}, byDataset.Entries); d != "" {
		t.Error(d)
	}
	want := []cost.Bucket{{At: noon, Span: time.Minute, Entries: []cost.Entry{versions, o, {Name: "p"}}},
		{At: noon.Add(time.Minute), Span: time.Minute, Entries: []cost.Entry{{Name: "o"}, p}}}
	if d := cmp.Diff(want, byDataset.Buckets); d != "" {
		t.Error(d)
	}
	if got := byDataset.Total; got.Requests != 9 || got.AllRead != 1035 || got.Log != 50_000 || !byDataset.Counted {
		t.Errorf("%+v", got)
	}

	for _, test := range []struct {
		query cost.Query
		want  []cost.Entry
	}{
		{cost.Query{By: cost.ByCustomer}, []cost.Entry{
			{Name: "globex", Sums: cost.Sums{Requests: 2, Time: 4 * time.Second, Changed: 40, Read: 1005, Hit: 51}, Log: 20_000},
			{Name: "acme", Sums: cost.Sums{Requests: 7, Time: time.Second + time.Millisecond, Changed: 60, Read: 10, Hit: 100}, Log: 30_000}}},
		{cost.Query{By: cost.ByCustomer, Dataset: "p"}, []cost.Entry{
			{Name: "globex", Sums: cost.Sums{Requests: 1, Time: time.Second, Read: 1000, Hit: 1}}}},
		{cost.Query{By: cost.ByDataset, Customer: "acme"}, []cost.Entry{
			{Name: "o", Sums: cost.Sums{Requests: 2, Time: time.Second, Changed: 60, Read: 10, Hit: 100}, Log: 30_000}, versions}},
		{cost.Query{By: cost.ByEndpoint}, []cost.Entry{
			{Name: "POST manifest", Sums: cost.Sums{Requests: 1, Time: time.Second, Read: 1000, Hit: 1}},
			{Name: cost.Background, Sums: cost.Sums{Read: 20}},
			{Name: "POST rows", Sums: cost.Sums{Requests: 3, Time: 4 * time.Second, Changed: 100, Read: 15, Hit: 150}, Log: 50_000},
			{Name: "GET versions", Sums: versions.Sums}}},
	} {
		if d := cmp.Diff(test.want, read(test.query).Entries); d != "" {
			t.Errorf("%+v: %s", test.query, d)
		}
	}
	for _, q := range []cost.Query{{By: "table"}, {By: cost.ByEndpoint, Customer: "acme"}} {
		if _, err := cost.Read(t.Context(), store, q); err == nil {
			t.Errorf("%+v was told", q)
		}
	}
}

// A table that is new counts from nothing: it is what an operator looks for.
// Where not all tables are told, one that comes in does not bring its past.
func TestNewTable(t *testing.T) {
	before := &cost.Counters{Log: 10, Datasets: map[string]cost.Counted{"old": {Read: 5}}}
	now := &cost.Counters{Log: 110, Datasets: map[string]cost.Counted{"old": {Read: 7}, "new": {Read: 300, Changed: 10}}}
	d := now.Since(before)
	if d.Datasets["new"].Read != 300 || d.Datasets["old"].Read != 2 || d.LogOf("new") != 100 {
		t.Errorf("%+v", d)
	}
	for i := range cost.MaxDatasets - 1 {
		before.Datasets[fmt.Sprint(i)] = cost.Counted{}
	}
	if _, ok := now.Since(before).Datasets["new"]; ok {
		t.Error("it brings its past")
	}
}

// A report of a day is made of hours, and the hour that runs goes as far as
// the last minute.
func TestReportOfHours(t *testing.T) {
	var store memory
	at := func(span time.Duration, after time.Duration, read int64) cost.Record {
		return cost.Record{Span: span, At: noon.Add(after), Counters: &cost.Counters{At: noon.Add(after), Datasets: map[string]cost.Counted{"o": {Read: read}}}}
	}
	records := []cost.Record{at(cost.Hour, -time.Hour, 100), at(cost.Hour, 0, 130), at(cost.Minute, 0, 130), at(cost.Minute, 20*time.Minute, 137)}
	if err := store.KeepCosts(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	now := noon.Add(21 * time.Minute)
	r, err := cost.Read(t.Context(), &store, cost.Query{By: cost.ByDataset, Since: now.Add(-24 * time.Hour), Until: now, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	want := []cost.Bucket{{At: noon.Add(-time.Hour), Span: time.Hour, Entries: []cost.Entry{{Name: "o", AllRead: 30}}},
		{At: noon, Span: time.Hour, Entries: []cost.Entry{{Name: "o", AllRead: 7}}}}
	if d := cmp.Diff(want, r.Buckets, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

// few tells how many records were had at once.
type few struct {
	*memory
	most int
}

func (f *few) Costs(ctx context.Context, span time.Duration, since, until time.Time, counters bool) ([]cost.Record, error) {
	all, err := f.memory.Costs(ctx, span, since, until, counters)
	f.most = max(f.most, len(all))
	return all, err
}

// A report of a long time has a day of it in memory, and is whole all the same.
func TestLongReport(t *testing.T) {
	const days = 30
	store := &few{memory: new(memory)}
	now := noon.Add(20 * time.Minute)
	begin := now.Add(-days * 24 * time.Hour).Truncate(time.Hour)
	var records []cost.Record
	for h := range days*24 + 1 {
		at := begin.Add(time.Duration(h) * time.Hour)
		records = append(records, cost.Record{Span: cost.Hour, At: at, Counters: &cost.Counters{At: at, Log: int64(h) * 1000, Datasets: map[string]cost.Counted{"o": {Read: int64(h) * 10, Changed: int64(h)}}}})
		for _, instance := range []string{"a", "b", "c"} {
			w := &cost.Window{Endpoints: []cost.Line{{Name: "POST rows", Dataset: "o", Sums: cost.Sums{Requests: 1}}, {Name: "DELETE rows", Dataset: "o", Sums: cost.Sums{Requests: 2}}}}
			records = append(records, cost.Record{Span: cost.Hour, At: at, Instance: instance, Window: w})
		}
	}
	store.records = records // in order
	r, err := cost.Read(t.Context(), store, cost.Query{By: cost.ByDataset, Since: now.Add(-days * 24 * time.Hour), Until: now, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	hours := int64(days*24 + 1)
	want := cost.Entry{Name: "o", Sums: cost.Sums{Requests: 9 * hours}, AllRead: 10 * (hours - 1), Log: 1000 * (hours - 1)}
	if d := cmp.Diff([]cost.Entry{want}, r.Entries); d != "" {
		t.Error(d)
	}
	if len(r.Buckets) != int(hours) || store.most > 24*4 {
		t.Errorf("%d buckets; %d records at once", len(r.Buckets), store.most)
	}
}
