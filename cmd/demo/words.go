package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"tidemark/agent/journal"
)

// count writes "1 order" or "2,001 orders".
func count[N int | int64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + one + "s"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

// short leaves out of a reason the time of day that it ends with.
func short(reason string) string {
	before, _, _ := strings.Cut(reason, ": last at ")
	return before
}

// told is what a person is told of an entry of the agent's journal, and
// whether it did anything.
func told(e journal.Entry) (event, bool) {
	o := e.Outcome
	if o.Error != "" {
		return event{who: "agent", bad: true, text: fmt.Sprintf("%s %s failed: %s (%s)", e.Table, e.Action, o.Error, e.Reason)}, true
	}
	if e.Action != "upload" && e.Action != "diff" {
		return event{}, false
	}
	var did []string
	for _, d := range []struct {
		n    int64
		what string
	}{{o.Inserted, "new"}, {o.Updated, "changed"}, {o.Deleted, "deleted"}, {o.Quarantined, "in quarantine"}} {
		if d.n > 0 {
			did = append(did, humanize.Comma(d.n)+" "+d.what)
		}
	}
	if len(did) == 0 {
		did = append(did, "no difference")
	}
	return event{who: "agent", text: fmt.Sprintf("%s %s, %s: %s", e.Table, e.Action, strings.Join(did, ", "), short(e.Reason))}, true
}
