package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testOperators(t *testing.T, f *fixture) {
	ctx := t.Context()
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	key := func(name, secret string, made int) cloud.OperatorKey {
		k := cloud.OperatorKey{Name: name, Key: keyOf(secret)}
		k.Created = at(made)
		return k
	}
	are := func(want ...cloud.OperatorKey) {
		t.Helper()
		got, err := f.OperatorKeys(ctx)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("operators: %v %s", err, d)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	are()
	_ = wantProblem(t, f.RotateOperator(ctx, key("ada", "x", 0), at(0), at(1)), wire.NotFound)
	_ = wantProblem(t, f.RemoveOperator(ctx, "ada"), wire.NotFound)
	ada, bob := key("ada", "a1", 1), key("bob", "b1", 0)
	must(f.AddOperator(ctx, bob))
	must(f.AddOperator(ctx, ada))
	if err := f.AddOperator(ctx, key("ada", "a2", 2)); !errors.Is(err, cloud.ErrExists) {
		t.Errorf("a name that is taken: %v", err)
	}
	are(ada, bob)

	second := key("ada", "a2", 2)
	must(f.RotateOperator(ctx, second, at(2), at(5)))
	ada.Expires = at(5)
	are(ada, second, bob)
	third := key("ada", "a3", 3)
	must(f.RotateOperator(ctx, third, at(3), at(9)))
	second.Expires = at(9) // the first one keeps its end, which is earlier
	are(ada, second, third, bob)
	fourth := key("ada", "a4", 6)
	must(f.RotateOperator(ctx, fourth, at(6), at(7)))
	second.Expires, third.Expires = at(7), at(7)
	are(second, third, fourth, bob) // what had expired is gone

	must(f.RemoveOperator(ctx, "ada"))
	are(bob)
	if keys, err := f.Keys(ctx, "bob"); err != nil || len(keys) > 0 {
		t.Errorf("an operator's key is a customer's: %v %v", keys, err)
	}
}
