package rollout

import (
	"fmt"
	"io"
)

// WriteMetrics writes what the watcher knows in the text format of Prometheus.
// Rollouts are few: their names are labels.
func (w *Watcher) WriteMetrics(out io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	family(out, "tidemark_rollout_share", "gauge", "share of the customers that a rollout has turned its tables on for, 0 to 1")
	for _, r := range w.rollouts {
		share := r.Share
		if r.State == Paused {
			share = 0
		}
		_, _ = fmt.Fprintf(out, "tidemark_rollout_share{rollout=%q} %g\n", r.Name, float64(share)/float64(All))
	}
	family(out, "tidemark_rollout_state", "gauge", "1 for the state that a rollout is in")
	for _, r := range w.rollouts {
		_, _ = fmt.Fprintf(out, "tidemark_rollout_state{rollout=%q,state=%q} 1\n", r.Name, r.State)
	}
	family(out, "tidemark_rollout_waiting", "gauge", "1 for a rollout with a step that waits for figures")
	for _, r := range w.rollouts {
		waits := 0
		if r.Next != nil {
			waits = 1
		}
		_, _ = fmt.Fprintf(out, "tidemark_rollout_waiting{rollout=%q} %d\n", r.Name, waits)
	}
	family(out, "tidemark_rollout_halts_total", "counter", "rollouts that this instance has halted")
	_, _ = fmt.Fprintf(out, "tidemark_rollout_halts_total %d\n", w.halts)
	family(out, "tidemark_rollout_look_failed_total", "counter", "looks at rollouts that failed")
	_, _ = fmt.Fprintf(out, "tidemark_rollout_look_failed_total %d\n", w.failed)
}

func family(out io.Writer, name, kind, help string) {
	_, _ = fmt.Fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}
