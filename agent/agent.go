package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/uploader"
	"tidemark/uploader/quarantine"
)

// Options of an Agent.
type Options struct {
	StateDir string // of the state file; made when it is not there
	Log      *zap.Logger
	// Reload reads the configuration again for Control.Reload; nil when there
	// is none to read.
	Reload func(context.Context) (Site, error)
	// Reloaded is told how that ended: nil when the site is served now. nil is
	// allowed.
	Reloaded func(error)
	Now      func() time.Time // time of day; nil means time.Now
	Rand     func() float64   // in [0, 1), for jitter; nil means math/rand/v2
	// Version of the program, which the cloud is told.
	Version string
	// Decided is told of every entry of the journal as it is made; nil is
	// allowed. It must neither block nor call the agent.
	Decided func(journal.Entry)
	// Alive is told, about once a second while the agent runs, that it does:
	// that its house is kept and its locks come free. nil is allowed.
	Alive func()
}

// An Agent serves one site. Its methods may be called from any goroutine, Run
// and Once by one at a time.
type Agent struct {
	log      *zap.Logger
	now      func() time.Time
	rand     func() float64
	version  string
	dir      string
	reload   func(context.Context) (Site, error)
	settled  func(error)
	decided  func(journal.Entry)
	alive    func()
	instance string // of this installation
	run      string // of this process
	started  time.Time
	lines    buffers
	db       *state.DB
	held     *quarantine.Quarantine
	books    books

	reloading sync.Mutex
	swap      chan swap // to Run

	asking baton // one question for the versions at a time

	mu          sync.Mutex
	site        Site
	sources     []*source
	queue       *scheduler.Queue
	paused      *state.Pause
	narrowed    narrowing
	policyKnown chan struct{} // closed once it is
	policyAsked chan struct{} // closed once somebody waits for it
	leased      time.Time     // until when what is known of all versions holds; monotonic
	checksIn    time.Time     // next; monotonic, zero when nobody keeps the lease
	asked       versions
	away        bool     // the log has been told that the cloud is
	refused     *Problem // the configuration, when it was last read again
	noted       []state.Problem
	running     bool
	closed      bool
}

// New opens the state and takes the site over: the agent closes its sources
// and its cloud, also when New fails.
func New(site Site, o Options) (*Agent, error) {
	a := &Agent{
		log: o.Log, now: o.Now, rand: o.Rand, version: o.Version, dir: o.StateDir, reload: o.Reload, settled: o.Reloaded, decided: o.Decided, alive: o.Alive,
		run: randomHex(8), swap: make(chan swap), asking: newBaton(),
	}
	if a.log == nil {
		a.log = zap.NewNop()
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.rand == nil {
		a.rand = rand.Float64
	}
	a.started = a.now()
	if err := a.open(site); err != nil {
		return nil, errors.Join(err, site.Close())
	}
	return a, nil
}

func (a *Agent) open(site Site) (err error) {
	if a.db, err = state.Open(a.dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.db.Close())
		}
	}()
	if a.db.SetAside != "" {
		a.log.Warn("state.damaged", zap.String("set_aside", a.db.SetAside), zap.Error(a.db.Damage))
	}
	if a.held, err = quarantine.Open(a.db.Quarantine(), quarantine.Limits{Rows: site.Quarantine}); err != nil {
		return fault.New("read the quarantine", err, "move the state file away: losing it loses nothing but a round of comparison")
	}
	snapshot, err := a.db.Read()
	if err != nil {
		return fault.New("read the state", err, "move the state file away: losing it loses nothing but a round of comparison")
	}
	if snapshot.Site.Customer != "" && snapshot.Site.Customer != site.Customer {
		a.log.Warn("state.customer", zap.String("was", snapshot.Site.Customer), zap.String("is", site.Customer))
		if err := a.db.Forget(func(string) bool { return false }); err != nil {
			return err
		}
		snapshot.Tables, snapshot.Site.Problems = nil, nil
	}
	machine, host := state.MachineID(), site.Host
	if machine != "" {
		host = "" // machines are renamed
	}
	a.instance = state.Instance(host, machine, a.dir)
	a.paused, a.noted = snapshot.Site.Paused, snapshot.Site.Problems
	a.install(site, snapshot)
	return a.db.Write(state.Change{Site: a.siteRecord()})
}

// install makes the site the one that is served, with what is remembered of
// it.
func (a *Agent) install(site Site, snapshot state.Snapshot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	site.Running = cmp.Or(site.Running, 4)
	site.warn(a.log)
	a.site = site
	a.policyKnown, a.policyAsked, a.asked = make(chan struct{}), make(chan struct{}), versions{}
	a.leased = time.Time{}
	a.sources = nil
	largest := 0
	for _, s := range site.Sources {
		src := &source{a: a, preparing: newBaton(), name: s.Name, sql: s.Source, log: a.log.With(zap.String("source", s.Name)), rec: snapshot.Sources[s.Name]}
		for _, ts := range s.Tables {
			ts.Interval = cmp.Or(ts.Interval, time.Minute)
			t := &table{a: a, source: src, site: ts, log: src.log.With(zap.String("table", ts.Dataset)), rec: snapshot.Tables[ts.Dataset]}
			t.decided = a.lastDecided(ts.Dataset)
			src.tables = append(src.tables, t)
			largest = max(largest, ts.Limits.ChunkBytes)
		}
		a.sources = append(a.sources, src)
	}
	a.lines.keep = 2 * cmp.Or(largest, 4<<20)
	a.queue = scheduler.NewQueue(scheduler.Config{Seed: site.Customer, Running: site.Running, Wall: a.now, Rand: a.rand})
}

// lastDecided is the last decision about a dataset that was written; nil where
// there is none, or it cannot be read.
func (a *Agent) lastDecided(dataset string) *Decided {
	newest, err := a.db.Journal(dataset, 1)
	if err != nil {
		a.log.Error("state.failed", zap.Error(err))
	}
	return lastDecided(newest)
}

// Close closes the site and the state. Run and Once must have returned.
func (a *Agent) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	site := a.site
	a.mu.Unlock()
	return errors.Join(site.Close(), a.flush(), a.db.Close())
}

// allTables lists the tables of all sources, under mu.
func (a *Agent) allTables() []*table {
	var all []*table
	for _, s := range a.sources {
		all = append(all, s.tables...)
	}
	return all
}

func (a *Agent) cloud() Cloud {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.site.Cloud
}

// turns is the queue of the site that is served.
func (a *Agent) turns() *scheduler.Queue {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue
}

func (a *Agent) writer() wire.Writer {
	return wire.Writer{ID: a.instance, Name: a.site.Host, Run: a.run}
}

func (a *Agent) sitePause() *state.Pause {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.paused
}

// siteRecord is what is remembered of the whole, under mu.
func (a *Agent) siteRecord() *state.Site {
	return &state.Site{Instance: a.instance, Customer: a.site.Customer, Paused: a.paused, Problems: a.noted}
}

func (a *Agent) filterBytes() int { return a.site.FilterBytes }

// enter takes an entry of a table's journal. One that did something is
// written soon, the others with the next that does, or after a while.
func (a *Agent) enter(t *table, e journal.Entry, soon bool) {
	a.books.enter(t.site.Dataset, e, soon, a.now())
	if a.decided != nil {
		a.decided(e)
	}
}

// Close closes the sources and the cloud of a site that no agent has taken
// over.
func (s Site) Close() error {
	var errs []error
	for _, src := range s.Sources {
		if src.Source != nil {
			errs = append(errs, fault.New("close source "+src.Name, src.Source.Close(), ""))
		}
	}
	if s.Cloud != nil {
		errs = append(errs, s.Cloud.Close())
	}
	return errors.Join(errs...)
}

var errEnded = fmt.Errorf("%w: the agent stops, or its configuration was read again", ErrBusy)

var _ Cloud = (*uploader.Client)(nil)
