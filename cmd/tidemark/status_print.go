package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"tidemark/agent"
)

// printStatus writes a status for a person: what is wrong, then the tables.
func printStatus(w io.Writer, s agent.Status, all bool) error {
	var b bytes.Buffer
	headline(&b, s)
	for _, u := range s.Unprotected {
		fmt.Fprintf(&b, "\nunprotected: %s: %s\n  hint: %s\n", u.Connection, u.Message, u.Hint)
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	for _, p := range s.Problems() {
		printProblem(&b, s.Time, p)
	}
	for _, t := range s.Tables {
		if p := t.Paused; p != nil {
			fmt.Fprintf(&b, "\npaused: %s, for %s%s\n  hint: `tidemark resume %s`\n", t.Name, span(s.Time.Sub(p.Since)), reason(p), t.Name)
		}
	}
	if len(s.Tables) > 0 {
		b.WriteByte('\n')
		if err := columns(&b, tableRows(s)); err != nil {
			return err
		}
	}
	if all {
		printDetails(&b, s)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func headline(w io.Writer, s agent.Status) {
	what := "all is well"
	switch n := len(s.Problems()); {
	case n > 0:
		what = plural(int64(n), "problem")
	case !s.Healthy:
		what = "not all is well"
	}
	if !s.Live {
		if len(s.Problems()) == 0 {
			what = "no problem was known"
		}
		what = "the service is not running; " + what + " when it last ran"
	}
	fmt.Fprintf(w, "%s: %s", s.Customer, what)
	if s.Started != nil {
		fmt.Fprintf(w, ", up for %s", span(s.Time.Sub(*s.Started)))
	}
	fmt.Fprintln(w)
	if !s.Live {
		fmt.Fprintln(w, "  hint: start it with `tidemark service start`, or run one cycle with `tidemark once`")
	}
	if p := s.Paused; p != nil {
		fmt.Fprintf(w, "\npaused: everything, for %s, by %s%s\n", span(s.Time.Sub(p.Since)), p.By, reason(p))
		if p.By == "command" {
			fmt.Fprintln(w, "  hint: `tidemark resume`")
		}
	}
}

func reason(p *agent.Pause) string {
	if p.Reason == "" {
		return ""
	}
	return " (" + p.Reason + ")"
}

func printProblem(w io.Writer, now time.Time, p agent.Problem) {
	where := p.Scope
	if p.Name != "" {
		where += " " + p.Name
	}
	fmt.Fprintf(w, "\n%s: %s\n  %s, for %s", where, p.Message, p.Kind, span(now.Sub(p.Since)))
	if p.Times > 1 {
		fmt.Fprintf(w, ", %d times in a row", p.Times)
	}
	if p.Next != nil {
		fmt.Fprintf(w, ", next try %s", in(now, p.Next))
	}
	fmt.Fprintln(w)
	if p.Hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", p.Hint)
	}
}

// tableRows has the tables with problems first.
func tableRows(s agent.Status) [][]string {
	rows := [][]string{{"TABLE", "STATE", "ROWS HERE", "CLOUD", "BEHIND", "EQUAL", "NEXT", "LAST DECISION"}}
	tables := slices.Clone(s.Tables)
	slices.SortStableFunc(tables, func(a, b agent.TableStatus) int { return severity(b.State) - severity(a.State) })
	for _, t := range tables {
		behind := "-"
		if t.Lag > 0 {
			behind = span(time.Duration(t.Lag * float64(time.Second)))
			if t.LagVersions > 0 {
				behind += fmt.Sprintf(", %s+ versions", humanize.Comma(int64(min(t.LagVersions, math.MaxInt64))))
			}
		}
		rows = append(rows, []string{t.Name, condition(t), count(t.LocalRows), count(t.CloudRows), behind, ago(s.Time, t.Synced), in(s.Time, t.Next), decision(t)})
	}
	return rows
}

func severity(s agent.State) int {
	return slices.Index([]agent.State{
		agent.StateOK, agent.StateNew, agent.StateDisabled, agent.StateLoading, agent.StateBehind,
		agent.StatePaused, agent.StateGone, agent.StateWaiting, agent.StateProblem,
	}, s)
}

func condition(t agent.TableStatus) string {
	if t.Running == "" {
		return string(t.State)
	}
	text := t.Running
	if p := t.Progress; p != nil && p.Of > 0 {
		text += fmt.Sprintf(" %d%%", min(100, p.Rows*100/p.Of))
	}
	return text
}

func decision(t agent.TableStatus) string {
	text := "none yet"
	if d := t.Decision; d != nil {
		text = d.Action + ": " + d.Reason
	}
	var more []string
	if a := t.Approval; a != nil && !a.Granted {
		more = append(more, plural(a.Deletes, "delete")+" wait for `tidemark approve "+t.Name+"`")
	}
	if q := t.Quarantine; q != nil && q.Rows > 0 {
		more = append(more, plural(int64(q.Rows), "row")+" in quarantine")
	}
	if len(more) > 0 {
		text += "; " + strings.Join(more, "; ")
	}
	return text
}

func printDetails(w io.Writer, s agent.Status) {
	fmt.Fprintf(w, "\ncloud: last answer %s, %s, %s sent", ago(s.Time, s.Cloud.Answered), plural(s.Cloud.Requests, "request"), size(s.Cloud.Bytes))
	if s.Cloud.CheckIn != nil {
		fmt.Fprintf(w, ", next check-in %s", in(s.Time, s.Cloud.CheckIn))
	}
	fmt.Fprintln(w)
	for _, src := range s.Sources {
		fmt.Fprintf(w, "\nsource %s: %s, last answer %s\n", src.Name, strings.TrimSpace(src.Server+" "+src.Database), ago(s.Time, src.Probed))
		fmt.Fprintf(w, "  row versions: up to %d, safe to read up to %d", src.DBTS, src.Ceiling)
		if src.CeilingSince != nil {
			fmt.Fprintf(w, ", standing still for %s", span(s.Time.Sub(*src.CeilingSince)))
		}
		if src.Holder != "" {
			fmt.Fprintf(w, ", held by %s", src.Holder)
		}
		fmt.Fprintln(w)
		if src.Epoch != "" {
			fmt.Fprintf(w, "  epoch: %s, begun %s\n", src.Epoch, ago(s.Time, src.EpochSince))
		}
		for _, n := range src.Notes {
			fmt.Fprintf(w, "  note: %s\n", n)
		}
	}
	for _, t := range s.Tables {
		for _, n := range t.Notes {
			fmt.Fprintf(w, "\ntable %s: %s\n", t.Name, n)
		}
	}
}
