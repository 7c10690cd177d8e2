package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"tidemark/agent"
)

// refresh is how often a progress bar is drawn; without a terminal a line is
// written every lineEvery.
const (
	refresh   = 300 * time.Millisecond
	lineEvery = 5 * time.Second
	barWidth  = 30
)

// A watch shows how far the work on a table is, on standard error.
type watch struct {
	stop context.CancelFunc
	done chan struct{}
}

// watchProgress begins to show progress where there is a terminal, or where
// it was asked for.
func (a *app) watchProgress(ctx context.Context, v agent.Viewer, table string, asked bool) *watch {
	_, terminal := terminalOf(a.err)
	ctx, stop := context.WithCancel(ctx)
	w := &watch{stop, make(chan struct{})}
	if !terminal && !asked {
		close(w.done)
		return w
	}
	go func() {
		defer close(w.done)
		show(ctx, a.err, v, table, terminal)
	}()
	return w
}

// end stops showing and waits for it.
func (w *watch) end() {
	w.stop()
	<-w.done
}

func show(ctx context.Context, out io.Writer, v agent.Viewer, table string, terminal bool) {
	every := refresh
	if !terminal {
		every = lineEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	drawn := false
	defer func() {
		if drawn && terminal {
			_, _ = fmt.Fprint(out, "\r\x1b[K")
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s, err := v.Status(ctx)
		if err != nil {
			continue // the command itself tells what is wrong
		}
		for _, t := range s.Tables {
			if t.Name != table && !strings.EqualFold(t.Table, table) || t.Progress == nil {
				continue
			}
			drawn = true
			line := bar(s.Time, t)
			if terminal {
				line = "\r" + line + "\x1b[K"
			} else {
				line += "\n"
			}
			_, _ = fmt.Fprint(out, line)
		}
	}
}

// bar draws one line: what is done, a bar, rows and time.
func bar(now time.Time, t agent.TableStatus) string {
	p := t.Progress
	text := fmt.Sprintf("%s %s", t.Name, t.Running)
	if p.Of > 0 {
		share := min(1, float64(p.Rows)/float64(p.Of))
		full := int(share * barWidth)
		text += fmt.Sprintf(" [%s%s] %3.0f%%", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*share)
	}
	return text + fmt.Sprintf(" %s rows, %s", humanize.Comma(p.Rows), span(now.Sub(p.Since)))
}
