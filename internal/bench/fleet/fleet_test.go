package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/internal/pgtest"
	"tidemark/scheduler"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := pgtest.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

// The same seed gives the same changes, and the same rows in the end.
func TestWorkloadIsDeterministic(t *testing.T) {
	rows := func(seed uint64) [][]uint64 {
		d := newDatabase(initial)
		c := changes{w: workload{seed: seed}, customer: 3}
		for minute := 0; minute < 24*60; minute += 7 { // however often one looks
			c.until(d, day0.Add(time.Duration(minute)*time.Minute))
		}
		c.until(d, day0.Add(24*time.Hour))
		all := make([][]uint64, len(d.tables))
		for i, t := range d.tables {
			all[i] = t.versions
		}
		return all
	}
	first := rows(1)
	if d := cmp.Diff(first, rows(1)); d != "" {
		t.Error(d)
	}
	if cmp.Equal(first, rows(2)) {
		t.Error("another seed gives the same")
	}
	w := workload{seed: 1}
	for hour := range 48 {
		all := w.hour(5, hour)
		if (len(all) > 0) && level(hour) == 0 {
			t.Errorf("hour %d is not quiet", hour)
		}
		for i, c := range all {
			if c.at < 0 || c.at >= time.Hour || i > 0 && c.at < all[i-1].at {
				t.Errorf("hour %d: a change at %s", hour, c.at)
			}
		}
	}
}

// A table that is passed over quickly would be skipped by the decision, to the
// same state.
func TestSkipsAsDecided(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	skipped := 0
	for range 20_000 {
		local := scheduler.Version{Epoch: epoch, High: r.Uint64N(3), Rows: r.Int64N(2)}
		table := agentTable{state: scheduler.State{
			SinceSync: r.IntN(5), Skips: r.IntN(5), FirstSync: r.IntN(4) > 0, Open: r.IntN(6) == 0, Owed: r.IntN(6) == 0,
			Synced: scheduler.Version{Epoch: epoch, High: r.Uint64N(3), Rows: r.Int64N(2)},
		}}
		in := scheduler.Input{Table: "t", Now: day0, State: table.state, Limits: scheduler.Limits{ForcedSkips: r.IntN(3), MaxSkips: r.IntN(5), VerifyEvery: verifyEvery}}
		if r.IntN(5) == 0 {
			in.Disabled = "off"
		}
		if !table.skips(&in, local) {
			continue
		}
		skipped++
		in.Local = &local
		d := scheduler.Decide(in)
		if d.Action != scheduler.Skip || d.Rule != 3 {
			t.Fatalf("%+v: decided %+v", in, d)
		}
		if diff := cmp.Diff(scheduler.Next(in, d, scheduler.Done), table.state); diff != "" {
			t.Fatal(diff)
		}
	}
	if skipped < 200 {
		t.Errorf("%d were skipped", skipped)
	}
}

// After an outage all that waits goes out at one place within half of it.
func TestGate(t *testing.T) {
	for seed := range uint64(200) {
		g := gate{random: rand.New(rand.NewPCG(seed, 0))}
		now := day0
		if _, ok := g.enter(now); !ok {
			t.Fatal("closed from the beginning")
		}
		for g.fail(now); now.Before(day0.Add(time.Hour)); g.fail(now) {
			at, ok := g.enter(now)
			if ok || at.Sub(now) > mostRetry {
				t.Fatalf("tries at %s: %t", at, ok)
			}
			now = at
		}
		now, _ = g.enter(now)
		g.succeed(now)
		at, _ := g.enter(now)
		if wait := at.Sub(now); wait < 0 || wait > mostSpread {
			t.Errorf("goes on after %s", wait)
		}
		if _, ok := g.enter(at); !ok {
			t.Error("its place is not enough")
		}
	}
}

// small is a fleet that a test can wait for.
var small = workload{seed: 7, customers: 3}

// The baseline brings its tables to what the sources hold.
func TestBaselineConverges(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Start(t)
	base, err := newBaseline(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer base.close()
	start := day0.Add(21*time.Hour + 30*time.Minute) // half an hour of changes, then quiet
	c := newClock()
	c.set(start)
	var all []*polled
	var sites []site
	for i := range small.customers {
		p := newPolled(base, i, small, start)
		all, sites = append(all, p), append(sites, p)
	}
	for i := range initial {
		if err := base.fill(ctx, i, all); err != nil {
			t.Fatal(err)
		}
	}
	none := func(context.Context, time.Time) error { return nil }
	if err := drive(ctx, c, start.Add(100*time.Minute), 2, sites, none); err != nil { // past every cap
		t.Fatal(err)
	}
	if base.rows.Load() == 0 {
		t.Fatal("nothing changed")
	}
	for _, p := range all {
		for i, source := range p.db.tables {
			rows, err := base.pool.Query(ctx, "SELECT id, rv FROM "+name(i)+" WHERE customer_id = $1", p.customer)
			if err != nil {
				t.Fatal(err)
			}
			held := map[int]uint64{}
			var id int
			var rv int64
			if _, err := pgx.ForEachRow(rows, []any{&id, &rv}, func() error { held[id] = uint64(rv); return nil }); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(source.held(), held); d != "" {
				t.Errorf("%s of %s: %s", name(i), p.customer, d)
			}
		}
	}
}

// held are the rows of a source, by key.
func (t *table) held() map[int]uint64 {
	all := map[int]uint64{}
	for i, v := range t.versions {
		if v > 0 {
			all[i+1] = v
		}
	}
	return all
}

// So does Tidemark, with an outage between, and a new table rolled out.
func TestFleetConverges(t *testing.T) {
	ctx, dsn := t.Context(), pgtest.Start(t)
	c := newClock()
	c.set(begun.Add(-30 * time.Minute))
	side, err := newCloudside(ctx, dsn, c)
	if err != nil {
		t.Fatal(err)
	}
	running := true
	defer func() {
		if running {
			if err := side.stop(); err != nil {
				t.Error(err)
			}
		}
	}()
	var agents []*agent
	var sites []site
	for i := range small.customers {
		key, err := side.enrol(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		a, err := newAgent(side, i, key, small)
		if err != nil {
			t.Fatal(err)
		}
		defer a.client.Close()
		a.changes.skipTo(21)
		agents, sites = append(agents, a), append(sites, a)
	}
	pass := func(d time.Duration) {
		t.Helper()
		if err := drive(ctx, c, c.Now().Add(d), 2, sites, side.upkeep); err != nil {
			t.Fatal(err)
		}
	}
	pass(10 * time.Minute)
	running = false
	if err := side.outage(); err != nil {
		t.Fatal(err)
	}
	pass(20 * time.Minute)
	if err := side.start(ctx); err != nil {
		t.Fatal(err)
	}
	running = true
	for _, a := range agents {
		a.add()
	}
	pass(100 * time.Minute)
	for _, a := range agents {
		for i, source := range a.db.tables {
			held := map[int]uint64{}
			err := side.store.Rows(ctx, a.customer, kinds[i].name, func(r cloud.Row) error {
				var id int
				_, err := fmt.Sscan(string(r.Values[0]), &id)
				held[id] = r.Version
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(source.held(), held); d != "" {
				t.Errorf("%s of %s: %s", kinds[i].name, a.customer, d)
			}
		}
	}
	if sum := side.recorder.between(minuteOf(begun)-60, c.minute()+1); sum.batches < 3*initial || sum.refused+sum.failed > 0 {
		t.Errorf("%d batches, %d requests refused, %d failed", sum.batches, sum.refused, sum.failed)
	}
}

// The proxy counts what is executed, and passes on every byte.
func TestProxyCounts(t *testing.T) {
	message := func(kind string, body string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte(kind), uint32(4+len(body))), body...)
	}
	sent := bytes.Join([][]byte{message("", "startup"), message("Q", "SELECT 1"), message("P", "parse"), message("B", ""), message("E", "portal"), message("d", "QE")}, nil)
	var n atomic.Int64
	var got bytes.Buffer
	if err := forward(&got, bytes.NewReader(sent), &n); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if n.Load() != 2 {
		t.Errorf("%d statements", n.Load())
	}
	if !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("passed on %q", &got)
	}
}
