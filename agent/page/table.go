package page

import (
	"fmt"
	"strings"
	"time"

	"tidemark/agent"
	"tidemark/agent/journal"
)

// table is the page of one table.
func table(e agent.Explanation, entries []journal.Entry, points []Point, now time.Time, version string) []byte {
	var d document
	d.head(e.Table)
	d.add("<header>\n<p><a href=\"/\">All tables</a></p>\n<h1>%s", e.Table)
	if t := e.Status; t != nil {
		d.add(`: <span class="%s">%s</span>`, tone(t.State), t.State)
	}
	d.add("</h1>\n</header>\n<main>\n")
	if e.Status != nil {
		d.state(*e.Status, now)
	}
	d.plot(lag("Lag", points), now)
	d.plot(throughput(points), now)
	if len(e.Facts) > 0 {
		d.add("<h2>What the last decision was made from</h2>\n")
		var pairs []string
		for _, f := range e.Facts {
			pairs = append(pairs, f.Name, f.Value)
		}
		d.terms("facts", pairs...)
	}
	d.add("<h2>Decisions</h2>\n")
	d.journal(entries)
	d.add("</main>\n")
	d.foot(version, now)
	return d.Bytes()
}

func (d *document) state(t agent.TableStatus, now time.Time) {
	if t.Problem != nil {
		d.problem(*t.Problem, now)
	}
	held := 0
	if t.Quarantine != nil {
		held = t.Quarantine.Rows
	}
	d.terms("figures", "Rows here", rows(t.LocalRows), "In the cloud", rows(t.CloudRows), "Behind", seconds(t.Lag),
		"Equal", ago(now, t.Synced), "Compared", ago(now, t.Verified), "Row version here", fmt.Sprint(t.High), "Watermark", fmt.Sprint(t.Watermark),
		"Quarantine", fmt.Sprint(held))
	for _, n := range t.Notes {
		d.hint(n)
	}
}

func (d *document) journal(entries []journal.Entry) {
	if len(entries) == 0 {
		d.add("<p>Nothing was decided yet.</p>\n")
		return
	}
	d.begin("Time", "Decision", "#Rule", "Why", "What came of it")
	for _, e := range entries {
		d.add("<tr>\n<td class=\"t\">%s", clock(e.Time))
		if e.Repeated > 0 {
			d.add("<br><small>and %d before, since %s</small>", e.Repeated, clock(e.Since))
		}
		d.add("\n<td>%s<td class=\"n\">%d<td>%s\n<td>%s", strings.TrimSpace(e.Action+" "+e.Upload), e.Rule, e.Reason, did(e.Outcome))
		for _, more := range []struct{ class, text string }{{"note", e.Outcome.Note}, {"bad", e.Outcome.Error}, {"hint", e.Outcome.Hint}} {
			if more.text != "" {
				d.add(`<div class="%s">%s</div>`, more.class, more.text)
			}
		}
		d.add("\n</tr>\n")
	}
	d.end()
}

// did says what came of a decision.
func did(o journal.Outcome) string {
	var all []string
	for _, p := range []struct {
		n    int64
		what string
	}{
		{o.Rows, "read"}, {o.Inserted, "inserted"}, {o.Updated, "updated"}, {o.Deleted, "deleted"},
		{o.Unchanged, "unchanged"}, {o.Quarantined, "to quarantine"},
	} {
		if p.n != 0 {
			all = append(all, rows(&p.n)+" "+p.what)
		}
	}
	text := strings.Join(all, ", ")
	if o.Duration > 0 {
		text += " in " + o.Duration.Round(time.Millisecond).String()
	}
	return strings.TrimSpace(text)
}
