//go:build linux

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// A report is what the soak has to say.
type report struct {
	options
	*world
	tally     *tally
	base, end figures
	peak      peak
	firstLoad time.Duration
	broken    time.Duration // how long there were load and faults
	caughtUp  time.Duration // from the end of both until the two sides were equal
	rows      int           // of both sides at the end
	found     []string
}

// conclude adds what was seen all along to what was found at the end.
func (r *report) conclude() {
	r.found = append(r.found, r.guard.found()...)
	if _, looks := r.guard.written(); looks < len(r.options.tables()) {
		r.found = append(r.found, fmt.Sprintf("wrong deletes could not have been seen: %d looks", looks))
	}
	for _, d := range []*daemon{r.agent, r.api, r.db.daemon} {
		r.found = append(r.found, d.strange()...)
	}
	for _, name := range []string{"agent", "api"} {
		text := read(filepath.Join(r.dir, name+".log"))
		for _, sign := range []string{"panic:", "fatal error:", "DATA RACE"} {
			if i := strings.Index(text, sign); i >= 0 {
				r.found = append(r.found, fmt.Sprintf("%s.log: %s", name, text[i:min(len(text), i+400)]))
			}
		}
	}
}

// faultNames are the rows of the table, in its order.
var faultNames = []string{
	killAgent, killAPI, killPostgres, killBackend, fastStop, immediateStop, linkCut, linkSlow, proxyResets, proxySlow,
	proxyRefuses, proxyAll, backResets, backAll, postgresFull, siteFull,
}

func (r *report) write(out io.Writer) error {
	var b strings.Builder
	row := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s |\n", what, fmt.Sprintf(format, args...))
	}
	b.WriteString("\n| what | figure |\n|---|---|\n")
	row("under load and faults", "%s, seed %d", r.broken.Round(time.Second), r.seed)
	for _, name := range faultNames {
		if n := r.tally.of(name); n > 0 {
			row(name, "%d", n)
		}
	}
	for _, p := range []struct {
		name string
		*proxy
	}{{"the API", r.front}, {"Postgres", r.back}} {
		request, answer, others := p.resets()
		row("connections to "+p.name+" reset", "%d within a request, %d within an answer, %d besides", request, answer, others)
	}
	c, looks := r.guard.written()
	row("written", "%s rows inserted, %s updated, %s deleted, %s keys changed; %s transactions, %d of them long, and %d rolled back",
		humanize.Comma(c.Inserted), humanize.Comma(c.Updated), humanize.Comma(c.Deleted), humanize.Comma(c.Rekeyed), humanize.Comma(c.Transactions), c.Long, c.RolledBack)
	row("first load, while nothing was broken", "%s", r.firstLoad.Round(time.Second))
	row("equal after the last fault", "%s, %s rows in %d tables", r.caughtUp.Round(time.Second), humanize.Comma(int64(r.rows)), len(r.options.tables()))
	row("wrong deletes", "%d, in %d looks at a table", len(r.guard.found()), looks)
	row("goroutines, before and after", "agent %d, %d; API %d, %d", r.base.agentGoroutines, r.end.agentGoroutines, r.base.apiGoroutines, r.end.apiGoroutines)
	row("descriptors, before and after", "agent %d, %d; API %d, %d", r.base.agentOpen, r.end.agentOpen, r.base.apiOpen, r.end.apiOpen)
	row("connections of the API to Postgres", "%d, %d", r.base.connections, r.end.connections)
	row("memory, before, after and at most", "agent %s, %s, %s; API %s, %s, %s",
		mib(r.base.agentRSS), mib(r.end.agentRSS), mib(r.peak.agent), mib(r.base.apiRSS), mib(r.end.apiRSS), mib(r.peak.api))
	row("the agent's state, before, after and at most", "%s, %s, %s", mib(r.base.state), mib(r.end.state), mib(r.peak.state))
	row("the agent's logs", "%d KiB", r.end.agentLogs>>10)
	row("steps by hand", "none")
	for _, lack := range r.lacks {
		row("NOT RUN", "%s", lack)
	}
	result := "nothing lost"
	if len(r.found) > 0 {
		result = fmt.Sprintf("%d findings", len(r.found))
	}
	row("result", "%s", result)
	for _, f := range r.found {
		fmt.Fprintf(&b, "\nFOUND: %s\n", f)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
