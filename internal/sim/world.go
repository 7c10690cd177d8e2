package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"tidemark/agent/journal"
	"tidemark/cloud"
	"tidemark/internal/wire"
)

// A world is one history under way.
type world struct {
	*history
	plan   Plan
	net    *network
	source *source
	cloud  *cloudSide
	main   *agentSide
	twins  []*agentSide
	late   *http.Transport // of requests that outlive their senders

	running sync.WaitGroup
	surgery chan operation
	owing   atomic.Int32 // what is still to come by itself: a side that is down, a fault that ends
	over    bool
	commits int
	deletes int
	lineage lineage
	held    held
	forced  int // skips that the policy forces

	mu      sync.Mutex
	rnd     *rand.Rand
	fates   []Step
	entries []journal.Entry
	skips   map[string][2]int // forced and unchanged in a row
}

// A lineage is a store as it goes on, and the batches applied to it.
type lineage struct {
	run     int
	applied map[string]bool
}

type operation struct {
	cut  func()
	done chan struct{}
}

// Run runs a plan to its end. The test is failed only by what is no matter of
// the plan.
func Run(t *testing.T, p Plan) (r Result) {
	t.Helper()
	dir, err := ownDir(scratch())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cryptotest.SetGlobalRandom(t, p.Seed)
	// Decoders that wait in a pool hold channels of the bubble that made them,
	// and no other may use these: two collections empty a pool.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(*testing.T) {
		w := &world{history: newHistory(), plan: p, net: newNetwork(p.Seed), surgery: make(chan operation),
			rnd: rand.New(rand.NewPCG(p.Seed, 2)), skips: map[string][2]int{}}
		w.run(dir)
		r = Result{Plan: p, Failure: w.failure, Lines: w.lines, Faults: w.faults, Virtual: time.Since(w.began), Commits: w.commits}
	})
	return r
}

// scratch is a folder in memory, where there is one: nothing here must
// survive this process.
func scratch() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// ownDir makes the first folder of a row of names that nobody has: an agent's
// identity is made of its folder's path, and a history that is run again
// should have the same.
func ownDir(parent string) (dir string, err error) {
	for i := 0; ; i++ {
		dir = filepath.Join(parent, fmt.Sprintf("tidemark-sim-%d", i))
		if err = os.Mkdir(dir, 0o700); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}

func (w *world) run(dir string) {
	stop := make(chan struct{})
	w.running.Go(func() { w.operateAll(stop) })
	defer func() {
		w.over = true
		w.shutdown()
		close(stop)
		w.running.Wait()
	}()
	w.late = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.net.dial(ctx, "late", "cloud") }}
	w.cloud = newCloud(w, dir)
	w.main = &agentSide{w: w, name: "agent", host: "site-1", dir: filepath.Join(dir, "agent")}
	var err error
	if w.source, err = newSource(w); err != nil {
		w.fail("sim: %v", err)
		return
	}
	for i, name := range w.plan.Setup.Tables {
		if w.plan.Setup.Rows > 0 {
			w.source.insertMany(Step{Table: name, N: w.plan.Setup.Rows, Seed: w.plan.Seed + uint64(i)})
		}
	}
	w.source.look()
	w.cloud.start()
	w.main.start()
	for _, st := range w.plan.Steps {
		w.sleep(time.Until(w.began.Add(time.Duration(st.At))))
		if w.broken() {
			return
		}
		w.do(st)
	}
	w.sleep(time.Minute)
	if !w.broken() {
		w.rest()
	}
}

// go_ starts what the world waits for at its end.
func (w *world) go_(fn func()) { w.running.Go(fn) }

// sleep waits, or until something failed.
func (w *world) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.failed:
	}
}

// later has fn run after a while, unless the history is over.
func (w *world) later(d Duration, fn func()) {
	w.owing.Add(1)
	w.go_(func() {
		defer w.owing.Add(-1)
		time.Sleep(time.Duration(d))
		if !w.over {
			fn()
		}
	})
}

// operate has the surgeon run fn when nothing else moves.
func (w *world) operate(fn func()) {
	op := operation{fn, make(chan struct{})}
	w.surgery <- op
	<-op.done
}

func (w *world) operateAll(stop <-chan struct{}) {
	for {
		select {
		case op := <-w.surgery:
			synctest.Wait()
			op.cut()
			close(op.done)
		case <-stop:
			return
		}
	}
}

func (w *world) random() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.Float64()
}

func (w *world) forgetSkips() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skips = map[string][2]int{}
}

// fateOf is what becomes of the next request of a kind.
func (w *world) fateOf(what string) (fate string, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.fates {
		f := &w.fates[i]
		if f.What != "any" && f.What != what {
			continue
		}
		if f.N--; f.N >= 0 {
			continue
		}
		fate, late = f.Kind, time.Duration(f.For)
		w.fates = append(w.fates[:i], w.fates[i+1:]...)
		return fate, late
	}
	return "", 0
}

// do does one step.
func (w *world) do(st Step) {
	w.say("plan", "%s", st)
	switch st.Do {
	case "write":
		w.source.write(st)
	case "rows":
		w.source.insertMany(st)
	case "rekey":
		w.source.rekey(st)
	case "begin":
		w.source.begin(st)
	case "commit", "rollback":
		w.source.end(st.N, st.Do == "commit")
	case "bad":
		w.source.bad(st)
	case "mend":
		w.source.mend(st.Table)
	case "backup":
		w.source.backup = w.source.db.Backup()
	case "restore":
		w.source.restore(st.Kind == "hidden")
	case "failover":
		w.source.failover(st.Kind == "older")
	case "lose":
		w.source.lose(st)
	case "source fault":
		w.source.inject(st)
	case "source cut":
		w.source.cut(st)
	case "fate":
		w.mu.Lock()
		w.fates = append(w.fates, st)
		w.mu.Unlock()
	case "meddle":
		w.source.meddling = append(w.source.meddling, st)
	case "cut":
		w.fault("connections reset: " + st.Kind)
		w.net.cut(st.Kind, "")
	case "outage":
		w.fault("outage: " + st.Kind)
		if st.Kind == "cloud" && !w.cloud.up {
			return
		}
		w.net.set(st.Kind, true)
		w.later(st.For, func() {
			if st.Kind != "cloud" || w.cloud.up {
				w.net.set(st.Kind, false)
			}
		})
	case "policy":
		w.policy(st)
	case "layout":
		if w.cloud.up {
			w.fault("new layout of a summary")
			_, err := w.cloud.store.Summarize(context.Background(), customer, st.Table)
			w.say("cloud", "summarized: %v", err)
		}
	case "clock":
		w.fault("clock jumps: " + st.Kind)
		if st.Kind == "agent" {
			w.main.offset += time.Duration(st.For)
		} else {
			w.cloud.offset += time.Duration(st.For)
		}
	case "full":
		if w.main.up && w.main.full == nil {
			f, err := fillDisk(w.main.file())
			w.say("agent", "its disk is full: %v", err)
			if err == nil {
				w.fault("agent's disk full")
				w.main.full = f
				w.later(st.For, func() {
					if w.main.full == f {
						w.main.mend()
					}
				})
			}
		}
	default:
		if !w.doSide(st) {
			w.source.alter(st)
		}
	}
}

// doSide does what concerns a whole side.
func (w *world) doSide(st Step) bool {
	down := time.Duration(st.For)
	switch st.Do {
	case "kill agent":
		w.fault("agent killed " + map[string]string{"": "", "lost": "and its state lost", "old": "and its state put back", "damaged": "and its state damaged", "cut": "and its state cut short"}[st.Kind])
		w.operate(func() { w.main.kill(st.Kind, down) })
	case "kill agent at":
		w.main.killAt = st
	case "stop agent":
		w.fault("agent restarted")
		w.main.halt(down, true)
	case "kill cloud":
		w.fault("cloud killed")
		w.operate(func() { w.cloud.kill(nil, down) })
	case "kill cloud at":
		w.cloud.killAt = st
	case "refuse":
		w.cloud.refusal = st
	case "keep cloud":
		w.operate(func() {
			if w.cloud.up {
				w.cloud.kept = w.cloud.files()
			}
			if w.main.up {
				w.main.old, _ = os.ReadFile(w.main.file())
			}
		})
	case "put cloud back":
		if w.cloud.kept != nil {
			w.fault("cloud restored")
			w.operate(func() { w.cloud.kill(w.cloud.kept, down) })
		}
	case "twin":
		w.twin(st)
	default:
		return false
	}
	return true
}

// twin starts a second agent for a while: on a machine of its own, or as a
// copy of the first, with its identity.
func (w *world) twin(st Step) {
	for _, t := range w.twins {
		if t.up {
			return
		}
	}
	w.fault("two agents: another " + st.Kind)
	t := &agentSide{w: w, name: "twin", host: "site-2", dir: w.main.dir + "-twin"}
	if st.Kind == "identity" {
		// The identity is the machine's and the folder's path. A folder that is
		// renamed under a running agent stays its own.
		w.operate(func() {
			if !w.main.up || w.main.full != nil {
				return
			}
			disk, err := os.ReadFile(w.main.file())
			aside := w.main.dir + "-first"
			if err == nil {
				err = os.Rename(w.main.dir, aside)
			}
			if err == nil {
				err = os.MkdirAll(w.main.dir, 0o700)
			}
			if err == nil {
				err = os.WriteFile(w.main.file(), disk, 0o600)
			}
			if err != nil {
				w.fail("sim: %v", err)
			}
			t.dir, t.host = w.main.dir, w.main.host
			t.start()
			_ = os.Rename(w.main.dir, w.main.dir+"-twin")
			_ = os.Rename(aside, w.main.dir)
			t.dir = w.main.dir + "-twin"
		})
	} else {
		t.start()
	}
	if !t.up {
		return
	}
	w.twins = append(w.twins, t)
	w.later(st.For, func() { w.endTwin(t) })
}

func (w *world) endTwin(t *agentSide) {
	if !t.up {
		return
	}
	t.halt(0, false)
	<-t.ended
	w.say("twin", "has ended")
	_ = os.RemoveAll(w.main.dir + "-twin")
}

func (w *world) policy(st Step) {
	if !w.cloud.up {
		return
	}
	if st.Kind != "clear" {
		w.fault("policy: " + st.Kind)
	}
	var p wire.Policy
	switch st.Kind {
	case "pause":
		p.Paused, p.Reason = true, "a test"
	case "off":
		p.Tables = map[string]wire.TablePolicy{st.Table: {Disabled: true}}
	case "skips":
		p.Tables = map[string]wire.TablePolicy{"*": {ForcedSkips: st.N}}
		w.forced = max(w.forced, st.N)
	case "rows":
		p.Tables = map[string]wire.TablePolicy{st.Table: {MaxRows: st.N}}
	}
	ctx := context.Background()
	_, all, err := w.cloud.store.Documents(ctx, -1)
	body, _ := json.Marshal(p)                                      // texts and numbers alone: cannot fail
	d := cloud.Document{Kind: cloud.KindPolicy, Body: string(body)} // of the whole fleet
	for _, is := range all {
		d.Revision = is.Revision
	}
	if err == nil {
		_, err = w.cloud.store.Change(ctx, cloud.Change{At: w.cloud.now(), Who: "sim", Why: "a test", Action: "policy set", Subject: "fleet", Documents: []cloud.Document{d}})
	}
	if err != nil {
		w.say("cloud", "policy: %v", err)
	}
}

// heal ends all faults. What a person has to do after some of them is done:
// a twin is stopped, and its table released.
func (w *world) heal() {
	w.say("sim", "all faults end")
	w.mu.Lock()
	w.fates = nil
	w.mu.Unlock()
	w.main.killAt, w.cloud.killAt, w.cloud.refusal = Step{}, Step{}, Step{}
	w.main.mend()
	w.main.offset, w.cloud.offset = 0, 0
	w.source.server.Network().Clear()
	w.source.endAll()
	for _, t := range w.twins {
		w.endTwin(t)
	}
	for range 36 { // three hours at most
		w.sleep(5 * time.Minute)
		if w.broken() {
			return
		}
		if w.owing.Load() == 0 {
			break
		}
	}
	w.net.set("source", false)
	if !w.cloud.up || !w.main.up {
		w.fail("a side does not come back")
		return
	}
	w.policy(Step{Kind: "clear"})
	ctx := context.Background()
	versions, err := w.cloud.store.Versions(ctx, customer)
	if err != nil {
		w.fail("sim: %v", err)
	}
	for name, v := range versions.Tables {
		if v.Writer.Name == "site-2" {
			_, err := w.cloud.store.Release(ctx, customer, name)
			w.say("cloud", "%s released: %v", name, err)
		}
	}
	w.source.look()
}

// shutdown ends everything, so that nothing is left in the bubble.
func (w *world) shutdown() {
	for _, s := range append(w.twins, w.main) {
		if s.up {
			s.halt(0, false)
		}
	}
	if w.source != nil {
		for _, tx := range w.source.open {
			_ = tx.Rollback(context.Background())
		}
	}
	if w.cloud.up {
		w.cloud.up = false
		w.cloud.stop()
	}
	if w.main.ended != nil {
		<-w.main.ended
	}
	if w.cloud.ended != nil {
		<-w.cloud.ended
	}
	if w.source != nil {
		_ = w.source.server.Close()
	}
}
