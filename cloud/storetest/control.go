package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud"
)

func testControl(t *testing.T, f *fixture) {
	ctx := t.Context()
	first, all, err := f.Documents(ctx, -1)
	if err != nil || len(all) != 0 {
		t.Fatalf("a new store has documents: %v %v", all, err)
	}
	at := func(minutes int) time.Time { return start.UTC().Add(time.Duration(minutes) * time.Minute) }
	change := func(minutes int, action string, documents ...cloud.Document) int64 {
		t.Helper()
		revision, err := f.Change(ctx, cloud.Change{At: at(minutes), Who: "ann", Why: "because", Action: action, Subject: "customer acme", Documents: documents})
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	are := func(want ...cloud.Document) {
		t.Helper()
		_, got, err := f.Documents(ctx, -1)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("documents: %v %s", err, d)
		}
	}
	policy := cloud.Document{Kind: cloud.KindPolicy, Body: `{"paused":true}`}
	group := cloud.Document{Kind: cloud.KindGroup, Name: "pilots", Body: `{"customers":["acme"]}`}
	one := change(0, "policy set", policy)
	if one <= first {
		t.Errorf("revision %d comes after %d", one, first)
	}
	if revision, all, err := f.Documents(ctx, one); revision != one || all != nil || err != nil {
		t.Errorf("what is known: %d %v %v", revision, all, err)
	}
	policy.Revision = one
	two := change(1, "group add", group)
	group.Revision = two
	are(group, policy)

	// Who has seen an older revision changes nothing, whatever else is in the change.
	stale := policy
	stale.Revision, stale.Body = first, `{}`
	more := group
	more.Body = `{"customers":[]}`
	again := group
	again.Revision = 0
	gone := cloud.Document{Kind: cloud.KindRollout, Name: "r", Revision: two, Body: "{}"}
	for _, documents := range [][]cloud.Document{{stale}, {more, stale}, {again}, {gone}} {
		if _, err := f.Change(ctx, cloud.Change{At: at(2), Who: "bob", Documents: documents}); !errors.Is(err, cloud.ErrChanged) {
			t.Errorf("%v: %v", documents, err)
		}
	}
	are(group, policy)

	removed := policy
	removed.Body = ""
	three := change(3, "policy clear", removed)
	are(group)
	four := change(4, "customer remove")
	recorded := []cloud.Recorded{
		{Revision: four, At: at(4), Who: "ann", Why: "because", Action: "customer remove", Subject: "customer acme"},
		{Revision: three, At: at(3), Who: "ann", Why: "because", Action: "policy clear", Subject: "policy fleet", Before: policy.Body},
		{Revision: two, At: at(1), Who: "ann", Why: "because", Action: "group add", Subject: "group pilots", After: group.Body},
		{Revision: one, At: at(0), Who: "ann", Why: "because", Action: "policy set", Subject: "policy fleet", After: policy.Body},
	}
	for _, q := range []struct {
		cloud.RecordQuery
		want []cloud.Recorded
	}{
		{cloud.RecordQuery{}, recorded},
		{cloud.RecordQuery{Most: 2}, recorded[:2]},
		{cloud.RecordQuery{Subject: "policy"}, []cloud.Recorded{recorded[1], recorded[3]}},
		{cloud.RecordQuery{Subject: "group pilots"}, recorded[2:3]},
		{cloud.RecordQuery{Subject: "group pilot"}, nil},
		{cloud.RecordQuery{Since: at(1), Until: at(4)}, recorded[1:3]},
	} {
		got, err := f.Recorded(ctx, q.RecordQuery)
		if d := cmp.Diff(q.want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("%+v: %v %s", q.RecordQuery, err, d)
		}
	}
	for _, want := range []int{1, 1, 0} {
		if n, err := f.DropRecorded(ctx, at(2), 1); err != nil || n != want {
			t.Errorf("dropped %d, not %d: %v", n, want, err)
		}
	}
	if got, err := f.Recorded(ctx, cloud.RecordQuery{}); err != nil || len(got) != 2 {
		t.Errorf("left: %v %v", got, err)
	}

	// Of many who change one document at once, one does.
	var mu sync.Mutex
	var done []int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			revision, err := f.Change(ctx, cloud.Change{At: at(5), Documents: []cloud.Document{{Kind: cloud.KindRollout, Name: "r", Body: "{}"}}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done = append(done, revision)
			} else if !errors.Is(err, cloud.ErrChanged) {
				t.Errorf("at once: %v", err)
			}
		})
	}
	wg.Wait()
	if len(done) != 1 {
		t.Errorf("%d of 8 have made it", len(done))
	}

	f.site(t, customer, simple)
	f.siteNamed(t, other, "a", simple)
	if names, err := f.Datasets(ctx); err != nil || len(names) != 2 || names[0] != "a" || names[1] != table {
		t.Errorf("datasets: %v %v", names, err)
	}
}

func testObserve(t *testing.T, f *fixture) {
	ctx := t.Context()
	see := func(instance, document string, fresh time.Duration, want map[string]string) {
		t.Helper()
		got, err := f.Observe(ctx, instance, document, fresh)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s sees %v %s", instance, err, d)
		}
	}
	see("a", "1", time.Hour, map[string]string{"a": "1"})
	see("b", "2", time.Hour, map[string]string{"a": "1", "b": "2"})
	see("a", "3", time.Hour, map[string]string{"a": "3", "b": "2"})
	if got, err := f.Observed(ctx, time.Hour); err != nil || len(got) != 2 || got["a"] != "3" {
		t.Errorf("who looks sees %v %v", got, err)
	}
	time.Sleep(20 * time.Millisecond)
	got, err := f.Observe(ctx, "c", "4", 15*time.Millisecond) // a slow machine may miss c, too
	if _, old := got["a"]; err != nil || old {
		t.Errorf("what is old counts: %v %v", got, err)
	}
	if got, err := f.Observed(ctx, time.Nanosecond); err != nil || len(got) != 0 {
		t.Errorf("who looks sees what is old: %v %v", got, err)
	}
}
