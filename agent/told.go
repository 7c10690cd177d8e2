package agent

import (
	"cmp"
	"fmt"
	"time"

	"tidemark/agent/state"
	"tidemark/internal/fault"
	"tidemark/sqlserver"
	"tidemark/uploader"
	"tidemark/uploader/quarantine"
)

func cloudStatus(c Cloud) CloudStatus {
	traffic, st := c.Traffic(), c.State()
	s := CloudStatus{Requests: traffic.Requests, Bytes: traffic.Sent, Answered: timeOf(traffic.Answered)}
	switch {
	case st.Refused != nil:
		s.Problem = refusedProblem(st)
	case st.Away:
		p := Problem{Kind: ProblemCloudAway, Scope: "cloud", Message: st.Err.Error(), Hint: fault.Hint(st.Err), Since: st.Since, Next: timeOf(st.Next), Times: 1}
		s.Problem = &p
	case st.Clock.Ahead != 0:
		s.Problem = clockProblem(st.Clock)
	}
	return s
}

// clockProblem stops nothing: what is exact does not go by clocks. Windows,
// due times and certificates do.
func clockProblem(c uploader.Clock) *Problem {
	way, off := "ahead of", c.Ahead.Abs()
	if c.Ahead < 0 {
		way = "behind"
	}
	span := fmt.Sprintf("%d minutes", off/time.Minute)
	if off >= 48*time.Hour {
		span = fmt.Sprintf("%d days", off/(24*time.Hour))
	}
	return &Problem{Kind: ProblemClock, Scope: "cloud", Since: c.Since, Times: 1,
		Message: fmt.Sprintf("this machine's clock is %s %s the cloud's", span, way),
		Hint:    "have this machine keep its time by NTP: transfer windows, due times and certificates go by its clock"}
}

func refusedProblem(st uploader.State) *Problem {
	p := classify(st.Refused)
	p.Scope, p.Since, p.Next, p.Times = "cloud", st.Since, timeOf(st.Next), 1
	if p.Hint == "" {
		p.Hint = "check cloud.key and customer in the configuration; the operator can issue a new key"
	}
	return &p
}

func (s *source) status(now time.Time) SourceStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := sourceStatus(s.name, s.rec)
	out.Problem = s.problem
	if srv := s.server; srv != nil {
		out.Server, out.Database, out.Notes = serverName(*srv), srv.Database, srv.Notes
	}
	if s.last != nil {
		out.Probed, out.DBTS, out.Ceiling = timeOf(s.last.at), s.last.DBTS, s.last.Ceiling
	}
	out.Holder = s.holder
	if out.Problem == nil {
		out.Problem = ceilingProblem(out, now)
	}
	return out
}

func serverName(s sqlserver.Server) string {
	name := "SQL Server"
	if s.Edition != "" {
		name = s.Edition
	}
	if s.Version != "" {
		name += " " + s.Version
	}
	return name
}

func ceilingProblem(s SourceStatus, now time.Time) *Problem {
	if s.CeilingSince == nil || now.Sub(*s.CeilingSince) < tooLong {
		return nil
	}
	p := Problem{
		Kind: ProblemCeiling, Scope: "source", Name: s.Name, Since: *s.CeilingSince, Times: 1,
		Message: fmt.Sprintf("an open transaction holds changes back: row versions above %d wait for it", s.Ceiling),
		Hint:    "look for a session with an old open transaction (DBCC OPENTRAN) and end it; `tidemark doctor` tells what lets it be named here",
	}
	if s.Holder != "" {
		p.Hint = "the oldest open transaction is of " + s.Holder
	}
	return &p
}

// sourceStatus is what a record tells of a source.
func sourceStatus(name string, rec state.Source) SourceStatus {
	return SourceStatus{
		Name: name, DBTS: rec.DBTS, Ceiling: rec.Ceiling, CeilingSince: timeOf(rec.Held),
		Epoch: rec.Epoch, EpochSince: timeOf(rec.EpochSince),
	}
}

func (t *table) status(now time.Time, n narrowing) TableStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := tableStatus(t.source.name, t.site, t.rec, t.a.held.Size(t.site.Dataset), now)
	s.Running, s.Decision = t.running, t.decided
	if t.prog != nil {
		p := *t.prog
		s.Progress = &p
	}
	if t.problem != nil {
		s.Problem = t.problem
	}
	if t.sql != nil {
		s.Notes = tableNotes(t.sql)
	}
	s.State = stateOf(s, cmp.Or(t.site.Disabled, n.off(t.site.Dataset)), t.rec)
	return s
}

func tableNotes(t *sqlserver.Table) []string {
	var notes []string
	for _, l := range t.LeftOut {
		notes = append(notes, fmt.Sprintf("column %s is left out: %s", l.Column, l.Reason))
	}
	if sql := sqlserver.IndexAdvice(t); sql != "" {
		notes = append(notes, "looking for changes reads the whole table; an index would make it quick: "+sql)
	}
	return notes
}

// tableStatus is what a record tells of a table.
func tableStatus(source string, site TableSite, rec state.Table, q quarantine.Size, now time.Time) TableStatus {
	s := TableStatus{
		Name: site.Dataset, Source: source, Table: site.Schema + "." + site.Name,
		High: rec.High, Watermark: rec.Cloud.Watermark,
		Synced: timeOf(rec.Synced), Verified: timeOf(rec.Scheduler.Verified),
		Approval: approvalOf(rec.Approval), Paused: pauseOf(rec.Paused),
	}
	if !rec.Asked.IsZero() {
		s.CloudRows = &rec.Cloud.Rows
		if rec.LocalRows >= 0 {
			s.LocalRows = &rec.LocalRows
		}
	}
	if !rec.Behind.IsZero() {
		s.Lag = max(0, now.Sub(rec.Behind).Seconds())
		if rec.Cloud.Loaded && rec.High > rec.Cloud.Watermark { // a load has no watermark yet
			s.LagVersions = rec.High - rec.Cloud.Watermark
		}
	}
	if q.Rows > 0 || q.Lost > 0 {
		s.Quarantine = &QuarantineSize{Rows: q.Rows, Bytes: q.Bytes, Dropped: int64(q.Lost)}
	}
	switch {
	case s.Approval != nil && !s.Approval.Granted:
		s.Problem = &Problem{
			Kind: ProblemApproval, Scope: "table", Name: s.Name, Since: s.Approval.Since, Times: 1,
			Message: fmt.Sprintf("%d deletes wait for a person: more than %d at once are not sent unasked", s.Approval.Deletes, s.Approval.Limit),
			Hint:    "if these rows really are gone at the source: tidemark approve " + s.Name,
		}
	case q.Rows > 0:
		s.Problem = &Problem{
			Kind: ProblemQuarantine, Scope: "table", Name: s.Name, Since: q.First, Times: 1,
			Message: fmt.Sprintf("%d rows could not be sent", q.Rows),
			Hint:    "tidemark quarantine list " + s.Name,
		}
	}
	return s
}

// stateOf is the one word for it.
func stateOf(s TableStatus, off string, rec state.Table) State {
	switch {
	case s.Paused != nil:
		return StatePaused
	case off != "":
		return StateDisabled
	case s.Problem != nil && s.Problem.Kind == ProblemGone:
		return StateGone
	case s.Problem != nil && s.Problem.Kind == ProblemApproval:
		return StateWaiting
	case s.Problem != nil && s.Problem.Kind != ProblemQuarantine:
		return StateProblem
	case rec.Asked.IsZero():
		return StateNew
	case !rec.Cloud.Loaded:
		return StateLoading
	case !rec.Behind.IsZero():
		return StateBehind
	}
	return StateOK
}

func pauseOf(p *state.Pause) *Pause {
	if p == nil {
		return nil
	}
	return &Pause{Since: p.Since, By: "command", Reason: p.Reason}
}

func approvalOf(a *state.Approval) *Approval {
	if a == nil {
		return nil
	}
	return &Approval{Deletes: a.Deletes, Limit: a.Limit, Since: a.Since, Sample: a.Sample, Granted: a.Granted}
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
