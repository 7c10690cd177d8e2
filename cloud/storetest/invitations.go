package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func testInvitations(t *testing.T, f *fixture) {
	ctx := t.Context()
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	invitation := func(of, secret string, made, until int) cloud.Invitation {
		return cloud.Invitation{Customer: of, Hash: keyOf(secret).Hash, Created: at(made), Expires: at(until)}
	}
	invite := func(i cloud.Invitation) {
		t.Helper()
		if err := f.Invite(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	are := func(of string, want ...cloud.Invitation) {
		t.Helper()
		got, err := f.Invitations(ctx, of)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Errorf("invitations of %s: %v %s", of, err, d)
		}
	}
	are(customer)
	_ = wantProblem(t, f.Invite(ctx, invitation("nobody", "x", 0, 1)), wire.NotFound)
	one, two, theirs := invitation(customer, "one", 0, 24), invitation(customer, "two", 1, 2), invitation(other, "theirs", 0, 1)
	invite(one)
	invite(two)
	invite(theirs)
	are(customer, one, two)
	are("nobody")

	// Each is good once, for its customer, until it expires.
	redeem := func(of string, i cloud.Invitation, secret string, now int) error {
		k := keyOf(secret)
		k.Created = at(now)
		return f.Redeem(ctx, of, i.Hash, k, at(now))
	}
	for _, err := range []error{redeem(other, one, "a", 1), redeem(customer, two, "b", 2), redeem("nobody", one, "c", 1)} {
		if !errors.Is(err, cloud.ErrNoInvitation) {
			t.Errorf("Redeem: %v", err)
		}
	}
	var racing sync.WaitGroup
	results := make([]error, 4)
	for i := range results {
		racing.Go(func() { results[i] = redeem(customer, one, "raced"+string(rune('a'+i)), 1) })
	}
	racing.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, cloud.ErrNoInvitation) {
			t.Errorf("Redeem: %v", err)
		}
	}
	keys, err := f.Keys(ctx, customer)
	if won != 1 || len(keys) != 2 || err != nil {
		t.Errorf("%d of four were let in, %d keys, %v", won, len(keys), err)
	}
	are(customer, two)
	three := invitation(customer, "three", 5, 6)
	invite(three) // and what has expired goes
	are(customer, three)
	are(other, theirs)
	if err := f.RemoveCustomer(ctx, customer); err != nil {
		t.Fatal(err)
	}
	are(customer)
}
