package agent_test

import (
	"cmp"
	"regexp"
	"slices"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/agent/journal"
	"tidemark/cloud"
	"tidemark/internal/wire"
)

// TestRequestInBothLogs has the cloud refuse requests: what the status and the
// journal say of it names the request under which the cloud's log has it.
func TestRequestInBothLogs(t *testing.T) {
	r := newRig(t)
	core, logs := observer.New(zap.InfoLevel)
	r.front.api = cloud.New(cloud.Config{Store: r.store, Logger: zap.New(core)})
	r.db.Exec(t, plain)
	if _, err := r.store.Register(t.Context(), customer, "t", conflicting); err != nil {
		t.Fatal(err)
	}
	r.sync("t").start()
	var said string
	r.until("the table is refused", func() bool {
		s, err := r.agent.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if p := s.Tables[0].Problem; p != nil {
			said = p.Message
		}
		return said != ""
	})
	r.inLog(logs, "status", said)
	for _, e := range r.decisions("t") {
		if e.Outcome.Error != "" {
			r.inLog(logs, "journal", e.Outcome.Error)
		}
	}
}

// TestBatchInBothLogs has batches go through: the agent's log and journal have
// the ID under which the cloud's log and its journal of batches have them.
func TestBatchInBothLogs(t *testing.T) {
	r := newRig(t)
	core, logs := observer.New(zap.InfoLevel)
	r.front.api = cloud.New(cloud.Config{Store: r.store, Logger: zap.New(core)})
	own, told := observer.New(zap.DebugLevel)
	r.log = own
	r.db.Exec(t, plain)
	r.sync("t").once()
	taken, err := r.store.Recent(t.Context(), customer)
	if err != nil || len(taken) == 0 {
		t.Fatalf("%d batches: %v", len(taken), err)
	}
	last := slices.MaxFunc(taken, func(a, b cloud.Taken) int { return cmp.Compare(a.Seq, b.Seq) }).Request
	for _, b := range taken {
		if logs.FilterMessage("request").FilterField(zap.String("request_id", b.Request)).Len() != 1 ||
			told.FilterMessage("batch.sent").FilterField(zap.String("request", b.Request)).FilterField(zap.Uint64("seq", b.Seq)).Len() != 1 {
			t.Errorf("request %q of batch %d is not in both logs: %v", b.Request, b.Seq, told.All())
		}
	}
	if told.FilterMessage("table.upload").FilterField(zap.String("request", last)).Len() != 1 {
		t.Errorf("request %q is with no upload: %v", last, told.FilterMessage("table.upload").All())
	}
	if !slices.ContainsFunc(r.entries, func(e journal.Entry) bool { return e.Action == "upload" && e.Outcome.Request == last }) {
		t.Errorf("request %q is not in the journal: %+v", last, r.entries)
	}
}

var requestName = regexp.MustCompile(`\[request ([0-9a-f]{16})\]$`)

func (r *rig) inLog(logs *observer.ObservedLogs, where, said string) {
	r.t.Helper()
	m := requestName.FindStringSubmatch(said)
	if m == nil {
		r.t.Errorf("%s: no request in %q", where, said)
		return
	}
	if n := logs.FilterMessage("request").FilterField(zap.String("request_id", m[1])).Len(); n != 1 {
		r.t.Errorf("%s: request %s is %d times in the cloud's log", where, m[1], n)
	}
}

// conflicting is a schema that the table's own cannot follow: its key is
// another type.
var conflicting = wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.UniqueIdentifier}}}, Key: []string{"id"}, Versioning: wire.ByRowVersion}
