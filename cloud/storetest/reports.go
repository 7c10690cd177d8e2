package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testReports(t *testing.T, f *fixture) {
	ctx := t.Context()
	report := func(of string, minute int, document string) cloud.Report {
		return cloud.Report{Customer: of, Received: start.Add(time.Duration(minute)*time.Minute + time.Microsecond), Document: []byte(document)}
	}
	put := func(r cloud.Report) {
		t.Helper()
		if err := f.PutReport(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	is := func(of string, want cloud.Report) {
		t.Helper()
		got, err := f.Report(ctx, of)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("report of %s: %v %s", of, err, d)
		}
	}
	are := func(minute int, want ...cloud.Report) {
		t.Helper()
		var got []cloud.Report
		err := f.EachReport(ctx, start.Add(time.Duration(minute)*time.Minute+time.Microsecond), func(r cloud.Report) error {
			got = append(got, r)
			return nil
		})
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("reports: %v %s", err, d)
		}
	}
	is(customer, cloud.Report{})
	are(0)
	_ = wantProblem(t, f.PutReport(ctx, report("nobody", 0, `{}`)), wire.NotFound)

	mine, theirs := report(customer, 1, `{"os":"one\u0000"}`), report(other, 2, `{"os":"two"}`)
	put(report(customer, 0, `{"os":"none"}`))
	put(theirs)
	put(mine) // replaces the one before
	is(customer, mine)
	is(other, theirs)
	is("nobody", cloud.Report{})
	are(0, mine, theirs)
	are(2, theirs)
	are(3)

	stop := errors.New("enough")
	n := 0
	if err := f.EachReport(ctx, time.Time{}, func(cloud.Report) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("EachReport: %v after %d", err, n)
	}

	// More customers than one page has.
	want := []cloud.Report{mine}
	for i := range 450 {
		id := fmt.Sprintf("c%03d", i)
		if err := f.AddCustomer(ctx, cloud.Customer{ID: id, Created: start}, keyOf(id)); err != nil {
			t.Fatal(err)
		}
		r := report(id, 1, `{"os":"`+id+`"}`)
		put(r)
		want = append(want, r)
	}
	are(0, append(want, theirs)...)
	if err := f.RemoveCustomer(ctx, customer); err != nil {
		t.Fatal(err)
	}
	is(customer, cloud.Report{})
}
