package cloud_test

import (
	"context"
	"math"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/rollout"
)

// grows is a database that reads 6,000 blocks a minute, and is looked at once
// a minute from begun on.
type grows struct {
	begun    time.Time
	replicas int
	looks    atomic.Int64
}

func (g *grows) Counters(context.Context) (*cost.Counters, error) {
	n := g.looks.Add(1)
	return &cost.Counters{At: g.begun.Add(time.Duration(n) * time.Minute), Read: 6000 * n, Replicas: g.replicas, Lag: 3 * time.Second}, nil
}

// A rollout sees what the server and its database tell, and nothing that is
// not known.
func TestWatched(t *testing.T) {
	s := newSite(t, cloud.Config{})
	got, err := cloud.Watched{Server: s.server}.Figures(t.Context())
	if _, ok := got[rollout.Reads]; err != nil || ok || len(got) != 2 {
		t.Errorf("%v, %v", got, err)
	}
	g := &grows{begun: time.Now(), replicas: 1}
	k := &cost.Keeper{Meter: cost.NewMeter(time.Now()), Store: s.store, Source: g}
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
	g.replicas = 0 // the last one is gone: it does not keep up
	k.Look(t.Context())
	got, err = cloud.Watched{Server: s.server, Costs: k}.Figures(t.Context())
	if lag, ok := got[rollout.Lag]; err != nil || ok {
		t.Errorf("a lag of %g without a replica, %v", lag, err)
	}
}

// A request that the store does not answer counts while it lasts, and a young
// one behind it does not hide what the last took; without any, all is well.
func TestLatencyOfWhatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		inside, proceed := make(chan struct{}), make(chan struct{})
		s.store.versions = func(context.Context) error {
			inside <- struct{}{}
			<-proceed
			return nil
		}
		latency := func() float64 { return s.server.Figures()[rollout.Latency] }
		ask := func() (answered chan struct{}) {
			answered = make(chan struct{})
			go func() {
				defer close(answered)
				s.do(t, http.MethodGet, versionsPath, nil)
			}()
			<-inside
			return answered
		}
		latency() // the site's own requests
		first := ask()
		time.Sleep(100 * time.Millisecond)
		if got := latency(); got < 0.1 {
			t.Errorf("%g seconds of a request that has hung for 0.1", got)
		}
		proceed <- struct{}{}
		<-first
		ended := latency()
		if ended < 0.1 {
			t.Errorf("%g seconds of a request that took over 0.1", ended)
		}
		second := ask()
		if got := latency(); got < ended {
			t.Errorf("%g seconds, and nothing has ended since %g", got, ended)
		}
		proceed <- struct{}{}
		<-second
		latency()
		if got := latency(); got != 0 {
			t.Errorf("%g seconds of no request", got)
		}
	})
}
