package agent_test

import (
	"regexp"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

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
