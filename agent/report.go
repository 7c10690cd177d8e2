package agent

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tidemark/internal/wire"
)

// reportText bounds a text of a report.
const reportText = 300

// report makes of a status what the operator of the cloud is told.
func (a *Agent) report(s Status) wire.Report {
	a.mu.Lock()
	host := a.site.Host
	a.mu.Unlock()
	r := wire.Report{
		Time: s.Time.UTC(), Version: a.version, OS: runtime.GOOS + "/" + runtime.GOARCH,
		Host: shortly(host), Instance: s.Instance, Started: timeUTC(s.Started),
		Problem: trouble(cmp.Or(s.Config, s.State)),
	}
	if s.Paused != nil {
		r.Paused = shortly("by " + s.Paused.By + because(s.Paused.Reason))
	}
	for _, src := range s.Sources {
		r.Sources = append(r.Sources, wire.SourceReport{
			Name: shortly(src.Name), Server: shortly(src.Server), Probed: timeUTC(src.Probed),
			CeilingSince: timeUTC(src.CeilingSince), Problem: trouble(src.Problem),
		})
	}
	for _, t := range s.Tables {
		r.Tables = append(r.Tables, tableReport(t))
	}
	return r
}

func tableReport(t TableStatus) wire.TableReport {
	r := wire.TableReport{
		Name: t.Name, Source: shortly(t.Source), State: string(t.State), Lag: int64(t.Lag),
		Synced: timeUTC(t.Synced), Rows: t.LocalRows, Problem: trouble(t.Problem), Paused: t.Paused != nil,
	}
	if t.High > t.Watermark && t.CloudRows != nil { // else the cloud's is not known
		r.LagRows = t.High - t.Watermark
	}
	if d := t.Decision; d != nil {
		r.Decision, r.Rule, r.Reason, r.Decided = d.Action, d.Rule, shortly(d.Reason), d.Time.UTC()
	}
	if t.Quarantine != nil {
		r.Quarantine = t.Quarantine.Rows
	}
	return r
}

// Kinds whose messages are the agent's own words and numbers. The others hold
// what a server has said, which may quote a value.
var ownWords = []ProblemKind{
	ProblemSchema, ProblemGone, ProblemQuarantine, ProblemApproval, ProblemSecondWriter, ProblemTwins, ProblemCeiling,
}

var quoted = regexp.MustCompile(`'[^']*'?|"[^"]*"?`)

func trouble(p *Problem) *wire.Trouble {
	if p == nil {
		return nil
	}
	text := p.Message
	if !slices.Contains(ownWords, p.Kind) {
		text = quoted.ReplaceAllString(text, "'…'")
	}
	return &wire.Trouble{Kind: string(p.Kind), Text: shortly(text), Since: p.Since.UTC()}
}

// shortly cuts a text, between two characters.
func shortly(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= reportText {
		return text
	}
	cut := reportText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

func timeUTC(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// fit makes a report small enough for the cloud: first the reasons of healthy
// tables go, then these tables themselves, then texts and tables that are not.
func fit(r wire.Report) wire.Report {
	for _, less := range []func(*wire.Report){
		func(*wire.Report) {},
		func(r *wire.Report) {
			for i := range r.Tables {
				if r.Tables[i].Problem == nil {
					r.Tables[i].Reason = ""
				}
			}
		},
		func(r *wire.Report) {
			r.Tables = slices.DeleteFunc(r.Tables, func(t wire.TableReport) bool {
				well := t.Problem == nil
				if well {
					r.Omitted++
				}
				return well
			})
		},
	} {
		less(&r)
		if size(r) <= wire.MaxReport {
			return r
		}
	}
	for n := len(r.Tables); size(r) > wire.MaxReport && n > 0; n /= 2 {
		r.Omitted += len(r.Tables) - n
		r.Tables = r.Tables[:n]
	}
	return r
}

func size(r wire.Report) int {
	body, err := json.Marshal(r)
	if err != nil { // a year beyond 9999, by a clock that is wrong
		return 0
	}
	return len(body)
}

// matters is what of a report an operator would act on. Numbers that move by
// themselves are no part of it.
func matters(r wire.Report) string {
	var b strings.Builder
	kind := func(t *wire.Trouble) string {
		if t == nil {
			return ""
		}
		return t.Kind
	}
	fmt.Fprintf(&b, "%s %s %s %q %s\n", r.Version, r.OS, r.Instance, r.Paused, kind(r.Problem))
	for _, s := range r.Sources {
		fmt.Fprintf(&b, "%q %s %s\n", s.Name, s.Server, kind(s.Problem))
	}
	for _, t := range r.Tables {
		state := t.State
		if state == string(StateBehind) || state == string(StateNew) {
			state = string(StateOK) // a change that is on its way
		}
		if late := t.Lag >= int64(lateAfter/time.Second); late {
			state += " late"
		}
		fmt.Fprintf(&b, "%q %s %s %d %t\n", t.Name, state, kind(t.Problem), t.Quarantine, t.Paused)
	}
	return b.String()
}

// lateAfter is from when on a lag is told outside of check-ins.
const lateAfter = 15 * time.Minute
