package page

import (
	"fmt"
	"net/url"

	"tidemark/agent"
)

// overview is the page of the whole site.
func overview(s agent.Status, points []Point, version string) []byte {
	var d document
	d.head(s.Customer)
	d.header(s)
	d.add("<main>\n")
	for _, u := range s.Unprotected {
		d.add("<section class=\"problem\">\n<h2>unprotected: %s: %s</h2>\n", u.Connection, u.Message)
		d.hint(u.Hint)
		d.add("</section>\n")
	}
	for _, p := range s.Problems() {
		d.problem(p, s.Time)
	}
	d.begin("Table", "State", "#Rows here", "#Cloud", "#Behind", "Equal", "Next", "Last decision")
	for _, t := range s.Tables {
		behind, state, decision := "–", string(t.State), "none yet"
		if t.Lag > 0 {
			behind = seconds(t.Lag)
		}
		if t.Running != "" {
			state = t.Running
		}
		if t.Decision != nil {
			decision = t.Decision.Action + ": " + t.Decision.Reason
		}
		d.add("<tr>\n<td><a href=\"/table?name=%s\">%s</a>\n<td><span class=\"%s\">%s</span>\n", url.QueryEscape(t.Name), t.Name, tone(t.State), state)
		d.add("<td class=\"n\">%s<td class=\"n\">%s<td class=\"n\">%s\n<td>%s<td>%s\n<td>%s\n</tr>\n",
			rows(t.LocalRows), rows(t.CloudRows), behind, ago(s.Time, t.Synced), in(s.Time, t.Next), decision)
	}
	d.end()
	for _, p := range []plot{
		lag("Largest lag of a table", points), throughput(points),
		{"Bytes sent per minute", points, func(p Point) float64 { return p.Bytes }, size, topOfSize},
	} {
		d.plot(p, s.Time)
	}
	d.begin("Source", "Server", "Database", "Last answer", "#Row versions up to", "#Safe to read up to", "Held back")
	for _, src := range s.Sources {
		held := "–"
		if src.CeilingSince != nil {
			held = "for " + short(s.Time.Sub(*src.CeilingSince))
			if src.Holder != "" {
				held += " by " + src.Holder
			}
		}
		d.add("<tr>\n<td>%s<td>%s<td>%s<td>%s<td class=\"n\">%d<td class=\"n\">%d\n<td>%s\n</tr>\n",
			src.Name, src.Server, src.Database, ago(s.Time, src.Probed), src.DBTS, src.Ceiling, held)
	}
	d.end()
	d.add("</main>\n")
	d.foot(version, s.Time)
	return d.Bytes()
}

// header is the answer to whether all is well.
func (d *document) header(s agent.Status) {
	class, what := "good", "all is well"
	switch n := len(s.Problems()); {
	case n == 1:
		class, what = "bad", "1 problem"
	case n > 1:
		class, what = "bad", fmt.Sprintf("%d problems", n)
	case !s.Healthy:
		class, what = "mild", "not all is well"
	}
	d.add("<header>\n<h1>%s: <span class=\"%s\">%s</span></h1>\n<p>", s.Customer, class, what)
	if s.Started != nil {
		d.add("Up for %s. ", short(s.Time.Sub(*s.Started)))
	}
	d.add("Last answer of the cloud %s.", ago(s.Time, s.Cloud.Answered))
	if s.Cloud.CheckIn != nil {
		d.add(" Next check-in %s.", in(s.Time, s.Cloud.CheckIn))
	}
	if p := s.Paused; p != nil {
		d.add(" Everything is paused, for %s, by %s", short(s.Time.Sub(p.Since)), p.By)
		if p.Reason != "" {
			d.add(" (%s)", p.Reason)
		}
		d.add(".")
	}
	d.add("</p>\n</header>\n")
}

// tone is the class that a state is shown in.
func tone(s agent.State) string {
	switch s {
	case agent.StateOK, agent.StateNew, agent.StateLoading:
		return "good"
	case agent.StateBehind, agent.StateDisabled, agent.StatePaused:
		return "mild"
	}
	return "bad"
}
