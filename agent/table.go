package agent

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/state"
	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/sqlserver"
)

// A table is one table at run time. One cycle at a time works on it; what
// people ask for comes in between, under mu.
type table struct {
	a      *Agent
	source *source
	site   TableSite
	log    *zap.Logger

	mu       sync.Mutex       // taken before the agent's, never while that is held
	sql      *sqlserver.Table // as the catalog has it; nil when it is not there
	sqlRead  *sqlserver.Reader
	rec      state.Table
	known    bool      // rec.Cloud was answered in this process
	heard    time.Time // it was, last; of the monotonic clock
	wrote    bool      // a batch of this process was applied
	problem  *Problem
	running  string
	prog     *Progress
	decided  *Decided
	requests []*request
	suspect  bool         // all sentinels are gone, or a twin has written: compare
	stranger wire.Version // of somebody else, which a cycle has looked at
	twin     twin
	told     []int // ids of the columns as last registered: see reborn
	forced   forcing
}

// request is something that a person asked for and waits for.
type request struct {
	what   scheduler.Request
	dryRun bool
	done   chan outcome // buffered
}

func (t *table) stopping() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rec.Paused != nil || t.a.sitePause() != nil || t.a.policy().off(t.site.Dataset) != ""
}

// table returns what the catalog says; nil when the table is not there.
func (t *table) table() *sqlserver.Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sql
}

// reader returns the table's reader, which remembers how large a chunk may be.
func (t *table) reader() *sqlserver.Reader {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sqlRead == nil {
		t.sqlRead = t.source.sql.Reader(t.sql, t.a.policy().limits(t.site))
	}
	return t.sqlRead
}

// forgetReader has the next cycle begin with a new reader: other limits hold.
func (t *table) forgetReader() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sqlRead = nil
}

func (t *table) decidedOn(d Decided) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.decided = &d
}

// setCatalog takes what the catalog says now.
func (t *table) setCatalog(s *sqlserver.Table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sql, t.sqlRead = s, nil
}

// evolved tells, under mu, whether the schema is another than the one that the
// cloud has, or was in between.
func (t *table) evolved() bool {
	if t.sql == nil || t.sql.Refused != "" || t.rec.Cloud.Schema == "" {
		return false
	}
	return t.rec.Cloud.Schema != t.sql.WireSchema().Fingerprint() || len(t.reborn(t.rec.Cloud)) > 0
}

func (t *table) begin(what string, of int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = what
	t.prog = &Progress{Since: t.a.now(), Of: max(of, 0)}
}

func (t *table) progress(read, sent int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.prog != nil {
		t.prog.Rows += read
		t.prog.Sent += sent
	}
}

// answered books a version that the cloud returned for a batch.
func (t *table) answered(v wire.Version, batch string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rec.Cloud, t.rec.Asked, t.rec.Batch = v, t.a.now(), batch
	t.known, t.wrote, t.heard = true, true, time.Now()
}

// learned books a version that the cloud was asked for.
func (t *table) learned(v wire.Version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rec.Cloud, t.rec.Asked, t.known, t.heard = v, t.a.now(), true, time.Now()
}

func (t *table) sentinels() []state.Sentinel {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rec.Sentinels
}

func (t *table) setSentinels(s []state.Sentinel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rec.Sentinels = s
}

// record returns a copy of what is remembered.
func (t *table) record() state.Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.rec
}

// change changes what is remembered.
func (t *table) change(fn func(*state.Table)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fn(&t.rec)
}

// forgetEpoch drops what held for an epoch that is over.
func (t *table) forgetEpoch() {
	t.change(func(r *state.Table) {
		r.High, r.Scan, r.Sentinels = 0, state.Scan{}, nil
	})
}
