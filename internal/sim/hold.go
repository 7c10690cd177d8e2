package sim

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// A held request waits for the cloud to be again, by its numbers, where it was
// when the request was sent.
type held struct {
	table string
	seq   uint64
	again chan struct{} // closed when it is
}

// hold keeps a request from a cloud that is put back meanwhile to an older
// state, and lets it through when the table is at the same number on its new
// way: the number of the request fits, and only what it says of the rows can
// tell that they are others. Rows that it means to delete have come back at the
// source by then. False when there is nothing to put back.
func (c *courier) hold(r *http.Request, body []byte, most time.Duration) bool {
	w := c.w
	name := ""
	for _, t := range w.plan.Setup.Tables {
		if strings.Contains(r.URL.Path, "/"+t+"/") {
			name = t
		}
	}
	if w.cloud.kept == nil || w.held.again != nil || c.side != w.main {
		return false
	}
	at, sent, again := w.cloud.tables[name].version.Seq, time.Now(), make(chan struct{})
	r = r.Clone(context.Background())
	w.owing.Add(1)
	w.go_(func() {
		defer w.owing.Add(-1)
		w.fault("cloud restored")
		w.operate(func() { w.cloud.kill(w.cloud.kept, 0) })
		w.source.bringBack(name)
		w.held = held{name, at, again}
		t := time.NewTimer(most)
		defer t.Stop()
		select {
		case <-again:
			c.sendLate(r, body, time.Since(sent))
		case <-t.C:
		}
		w.held = held{}
	})
	return true
}

// release lets a held request go when a table is where it was.
func (h *held) release(table string, seq uint64) {
	if h.again != nil && h.table == table && h.seq == seq {
		close(h.again)
		h.seq = 0
	}
}
