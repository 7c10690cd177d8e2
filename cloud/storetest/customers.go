package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testCustomers(t *testing.T, f *fixture) {
	ctx := t.Context()
	if err := f.Ready(ctx); err != nil {
		t.Errorf("Ready: %v", err)
	}
	got, err := f.ListCustomers(ctx)
	want := []cloud.Customer{{ID: customer, Name: "ACME", Created: start}, {ID: other, Name: "GLOBEX", Created: start}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("ListCustomers: %v %s", err, d)
	}
	if err := f.AddCustomer(ctx, cloud.Customer{ID: customer, Created: start}, keyOf("x")); !errors.Is(err, cloud.ErrExists) {
		t.Errorf("adding a customer again: %v", err)
	}
	keys, err := f.Keys(ctx, customer)
	if d := cmp.Diff([]cloud.Key{keyOf(customer)}, keys); err != nil || d != "" {
		t.Errorf("Keys: %v %s", err, d)
	}
	if keys, err := f.Keys(ctx, "nobody"); err != nil || len(keys) != 0 {
		t.Errorf("Keys of nobody: %v, %v", keys, err)
	}
}

func testRotate(t *testing.T, f *fixture) {
	ctx := t.Context()
	rotate := func(secret string, now, until time.Time) {
		t.Helper()
		next := keyOf(secret)
		next.Created = now
		if err := f.RotateKey(ctx, customer, next, now, until); err != nil {
			t.Fatal(err)
		}
	}
	expiries := func() map[[32]byte]time.Time {
		keys, err := f.Keys(ctx, customer)
		if err != nil {
			t.Fatal(err)
		}
		m := make(map[[32]byte]time.Time)
		for _, k := range keys {
			m[k.Hash] = k.Expires
		}
		return m
	}
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	rotate("second", at(0), at(24))
	rotate("third", at(1), at(2))
	want := map[[32]byte]time.Time{keyOf(customer).Hash: at(2), keyOf("second").Hash: at(2), keyOf("third").Hash: {}}
	if d := cmp.Diff(want, expiries()); d != "" {
		t.Errorf("a later expiry was brought forward: %s", d)
	}
	rotate("fourth", at(3), at(9))
	want = map[[32]byte]time.Time{keyOf("third").Hash: at(9), keyOf("fourth").Hash: {}}
	if d := cmp.Diff(want, expiries()); d != "" {
		t.Errorf("expired keys go: %s", d)
	}
	_ = wantProblem(t, f.RotateKey(ctx, "nobody", keyOf("x"), at(0), at(1)), wire.NotFound)
}

func testRemoveCustomer(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.loaded(t, customer, simple, `["1",1,"mine"]`)
	theirs := f.loaded(t, other, simple, `["1",1,"theirs"]`)
	if err := f.RemoveCustomer(ctx, customer); err != nil {
		t.Fatal(err)
	}
	if keys, err := f.Keys(ctx, customer); err != nil || len(keys) != 0 {
		t.Errorf("keys are left: %v %v", keys, err)
	}
	if all, err := f.ListCustomers(ctx); err != nil || len(all) != 1 || all[0].ID != other {
		t.Errorf("customers are left: %v %v", all, err)
	}
	_, err := f.Table(ctx, customer, table)
	_ = wantProblem(t, err, wire.NotFound)
	_, err = f.Register(ctx, customer, table, simple)
	_ = wantProblem(t, err, wire.NotFound)
	_ = wantProblem(t, f.RemoveCustomer(ctx, customer), wire.NotFound)
	theirs.has(t, `["1",1,"theirs"]`)

	if err := f.AddCustomer(ctx, cloud.Customer{ID: customer, Created: start}, keyOf("again")); err != nil {
		t.Fatal(err)
	}
	mine := f.site(t, customer, simple)
	mine.has(t)
	if v := mine.read(t); v != (wire.Version{Schema: simple.Fingerprint()}) {
		t.Errorf("a customer that comes back finds %+v", v)
	}
}

// A customer that goes on sending while it is removed leaves nothing behind,
// and is told in the end that it is not there.
func testRemoveWhileSending(t *testing.T, f *fixture) {
	ctx := t.Context()
	mine := f.loaded(t, customer, simple, `["1",1,"mine"]`)
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 2; ; n++ {
			_, err := f.Apply(ctx, mine.batch(wire.Delta, []string{fmt.Sprintf(`["%d",%d,"mine"]`, n, n)}))
			if n == 3 {
				close(begun)
			}
			if err == nil {
				mine.version.Seq++
				continue
			}
			if n <= 3 {
				ended <- err
				return
			}
			got, err := f.Register(ctx, customer, table, simple) // as an agent does
			if err != nil {
				ended <- err
				return
			}
			mine.version = got.Version
		}
	}()
	<-begun
	if err := f.RemoveCustomer(ctx, customer); err != nil {
		t.Error(err)
	}
	_ = wantProblem(t, <-ended, wire.NotFound)
	if err := f.AddCustomer(ctx, cloud.Customer{ID: customer, Created: start}, keyOf("again")); err != nil {
		t.Fatal(err)
	}
	f.site(t, customer, simple).has(t)
}
