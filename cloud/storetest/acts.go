package storetest

import (
	"errors"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// What operators do beside changing documents is done and recorded, or neither.
func testActs(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.loaded(t, customer, simple, `["1",1,"mine"]`)
	ada := cloud.OperatorKey{Name: "ada", Key: keyOf("ada")}
	next := ada
	next.Hash = keyOf("next").Hash
	nobody := cloud.Invitation{Customer: "nobody", Hash: keyOf("n").Hash, Created: start, Expires: start.Add(time.Hour)}
	mine := nobody
	mine.Customer = customer
	later := start.Add(time.Hour)
	released := func(want wire.Writer) func(a cloud.Acts) error {
		return func(a cloud.Acts) error {
			was, err := a.Release(ctx, customer, table)
			if was != want {
				t.Errorf("released from %+v, not from %+v", was, want)
			}
			return err
		}
	}
	var recorded []string
	act := func(subject string, do func(cloud.Acts) error) error {
		err := f.Act(ctx, cloud.Change{At: start, Who: "ann", Why: "because", Action: "do", Subject: subject}, do)
		if err == nil {
			recorded = append([]string{subject}, recorded...)
		}
		return err
	}
	for _, a := range []struct {
		subject string
		do      func(cloud.Acts) error
	}{
		{"customer new", func(a cloud.Acts) error {
			return a.AddCustomer(ctx, cloud.Customer{ID: "new", Created: start}, keyOf("new"))
		}},
		{"customer new", func(a cloud.Acts) error { return a.RotateKey(ctx, "new", keyOf("newer"), start, later) }},
		{"customer acme", func(a cloud.Acts) error { return a.Invite(ctx, mine) }},
		{"customer acme dbo.t", released(writer)},
		{"customer acme dbo.t", released(wire.Writer{})},
		{"operator ada", func(a cloud.Acts) error { return a.AddOperator(ctx, ada) }},
		{"operator ada", func(a cloud.Acts) error { return a.RotateOperator(ctx, next, start, later) }},
		{"operator ada", func(a cloud.Acts) error { return a.RemoveOperator(ctx, "ada") }},
	} {
		if err := act(a.subject, a.do); err != nil {
			t.Errorf("%s: %v", a.subject, err)
		}
	}
	if keys, err := f.Keys(ctx, "new"); err != nil || len(keys) != 2 {
		t.Errorf("keys: %v %v", keys, err)
	}
	if all, err := f.Invitations(ctx, customer); err != nil || len(all) != 1 {
		t.Errorf("invitations: %v %v", all, err)
	}
	if keys, err := f.OperatorKeys(ctx); err != nil || len(keys) != 0 {
		t.Errorf("operators: %v %v", keys, err)
	}

	// What cannot be done is not recorded, and what cannot be recorded is not done.
	if err := act("customer new", func(a cloud.Acts) error {
		return a.AddCustomer(ctx, cloud.Customer{ID: "new", Created: start}, keyOf("again"))
	}); !errors.Is(err, cloud.ErrExists) {
		t.Errorf("a customer that there is: %v", err)
	}
	for _, do := range []func(cloud.Acts) error{
		func(a cloud.Acts) error { return a.RotateKey(ctx, "nobody", keyOf("x"), start, later) },
		func(a cloud.Acts) error { return a.Invite(ctx, nobody) },
		func(a cloud.Acts) error { _, err := a.Release(ctx, customer, "dbo.none"); return err },
		func(a cloud.Acts) error { return a.RotateOperator(ctx, next, start, later) },
		func(a cloud.Acts) error { return a.RemoveOperator(ctx, "ada") },
	} {
		_ = wantProblem(t, act("nothing", do), wire.NotFound)
	}
	half := errors.New("half")
	if err := act("customer half", func(a cloud.Acts) error {
		return errors.Join(a.AddCustomer(ctx, cloud.Customer{ID: "half", Created: start}, keyOf("half")), half)
	}); !errors.Is(err, half) {
		t.Errorf("half of it: %v", err)
	}
	if keys, err := f.Keys(ctx, "half"); err != nil || len(keys) != 0 {
		t.Errorf("half of it is done: %v %v", keys, err)
	}
	got, err := f.Recorded(ctx, cloud.RecordQuery{})
	if err != nil || len(got) != len(recorded) {
		t.Fatalf("%d are recorded, not %d: %v", len(got), len(recorded), err)
	}
	for i, r := range got {
		if r.Subject != recorded[i] || r.Who != "ann" || r.Why != "because" || r.Action != "do" || r.Before != "" || r.After != "" || !r.At.Equal(start) {
			t.Errorf("recorded: %+v, not %s", r, recorded[i])
		}
	}
	if got, err := f.Recorded(ctx, cloud.RecordQuery{Subject: "customer acme"}); err != nil || len(got) != 3 {
		t.Errorf("of acme: %v %v", got, err)
	}
}
