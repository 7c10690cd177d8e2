package cloud_test

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/rollout"
)

// grows is a database that reads 6,000 blocks between two looks.
type grows struct{ looks atomic.Int64 }

func (g *grows) Counters(context.Context) (*cost.Counters, error) {
	n := g.looks.Add(1)
	return &cost.Counters{At: time.Now().Add(time.Duration(n) * time.Minute), Read: 6000 * n, Lag: 3 * time.Second}, nil
}

// A rollout sees what the server and its database tell, and nothing that is
// not known.
func TestWatched(t *testing.T) {
	s := newSite(t, cloud.Config{})
	got, err := cloud.Watched{Server: s.server}.Figures(t.Context())
	if _, ok := got[rollout.Reads]; err != nil || ok || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	k := &cost.Keeper{Meter: cost.NewMeter(time.Now()), Store: s.store, Source: new(grows)}
	if got, _ := (cloud.Watched{Server: s.server, Costs: k}).Figures(t.Context()); len(got) != 2 {
		t.Errorf("of nothing: %v", got)
	}
	for range 2 {
		k.Look(t.Context())
	}
	got, err = cloud.Watched{Server: s.server, Costs: k}.Figures(t.Context())
	if err != nil || math.Abs(got[rollout.Reads]-100) > 1 || got[rollout.Lag] != 3 {
		t.Errorf("%v, %v", got, err)
	}
}
