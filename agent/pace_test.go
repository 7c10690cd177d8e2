package agent_test

import (
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// TestPolicyPaces has the operator slow a table down and cap its batches: it
// comes as seldom, and as little at a time, as the policy says, whatever its
// own file allows.
func TestPolicyPaces(t *testing.T) {
	const (
		seldom = 62 * time.Minute // of this site and source the first tick is two seconds away
		most   = 2
	)
	r := newRig(t)
	r.db.Exec(t, plain)
	r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES (3, N'c'), (4, N'd'), (5, N'e'), (6, N'f'), (7, N'g')")
	operator := cloud.Operator{Store: r.store, Who: "ann", Why: "test", NewTables: true}
	if _, err := operator.ChangePolicy(t.Context(), "policy set", cloud.OfCustomer(customer), func(wire.Policy) (wire.Policy, error) {
		return wire.Policy{Tables: map[string]wire.TablePolicy{"t": {MinInterval: int(seldom / time.Second), MaxRows: most}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	r.sync("t").start()
	r.settles("t")
	r.until("it comes as seldom as the policy says", func() bool {
		next := r.status("t").Next
		return next != nil && time.Until(*next) > seldom/2
	})
	batches, err := r.store.Recent(t.Context(), customer)
	if err != nil || len(batches) < 4 {
		t.Errorf("%d batches, %v", len(batches), err)
	}
	for _, b := range batches {
		if b.Rows() > most {
			t.Errorf("a batch of %d rows", b.Rows())
		}
	}
}
