package agent_test

import (
	"net/http"
	"testing"

	"tidemark/agent"
)

// TestLagInVersions holds that a table tells how many row versions it is
// behind while its rows cannot be sent, and that this ends with the lag.
func TestLagInVersions(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, plain)
	r.db.Exec(t, "CREATE INDEX ix ON {s}.t (rv)") // else the highest seen is that of some changed row
	r.sync("t").start()
	r.settles("t")
	r.until("all is well", func() bool { return r.status("t").State == agent.StateOK })
	if s := r.status("t"); s.LagVersions != 0 {
		t.Errorf("%d versions behind, and equal", s.LagVersions)
	}
	r.halt()
	for _, row := range []string{"(3, N'c')", "(4, N'd')", "(5, N'e')"} {
		r.db.Exec(t, "INSERT INTO {s}.t (id, v) VALUES "+row)
	}
	r.front.set(func(req *http.Request) fate {
		if batches(req) {
			return lostOnWay
		}
		return arrives
	})
	r.start()
	var s agent.TableStatus
	r.until("the table is behind", func() bool { s = r.status("t"); return s.LagVersions > 0 })
	if s.LagVersions < 3 || s.LagVersions != s.High-s.Watermark {
		t.Errorf("%d versions behind, from %d to %d, by 3 inserts", s.LagVersions, s.Watermark, s.High)
	}
	r.front.set(nil)
	r.settles("t")
	r.until("the lag ends", func() bool { s = r.status("t"); return s.State == agent.StateOK && s.LagVersions == 0 })
}
