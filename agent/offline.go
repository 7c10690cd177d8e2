package agent

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"tidemark/agent/journal"
	"tidemark/agent/state"
	"tidemark/internal/fault"
	"tidemark/uploader/quarantine"
)

// An Offline tells what an agent that does not run has left in its state file.
type Offline struct {
	db   *state.DB
	dir  string
	site Site
	snap state.Snapshot
	rows []quarantine.Row
	lost map[string]uint64
}

// OpenOffline reads the state in dir. Of the site, the customer, the names of
// sources and tables and what is unprotected are read; nothing of it is opened or closed.
func OpenOffline(dir string, site Site) (*Offline, error) {
	db, err := state.OpenReadOnly(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New("read the state", errNoRun, "start it with `tidemark service start`, or run one cycle with `tidemark once`")
	}
	if err != nil {
		return nil, err
	}
	o := &Offline{db: db, dir: dir, site: site}
	if o.snap, err = db.Read(); err == nil {
		o.rows, o.lost, err = db.Quarantine().Load()
	}
	if err != nil {
		return nil, errors.Join(fault.New("read the state", err, ""), db.Close())
	}
	return o, nil
}

// Close closes the state file.
func (o *Offline) Close() error { return o.db.Close() }

// Status implements Viewer. The problems of configuration, cloud and sources
// are those that the agent had last.
func (o *Offline) Status(context.Context) (Status, error) {
	s := Status{
		SchemaVersion: StatusVersion, Time: time.Now(), Customer: o.site.Customer, Instance: o.snap.Site.Instance,
		Paused: pauseOf(o.snap.Site.Paused), Unprotected: o.site.Unprotected, Notes: notes(o.dir),
		Config: notedOf(o.snap.Site, "configuration", ""), Cloud: CloudStatus{Problem: notedOf(o.snap.Site, "cloud", "")},
	}
	for _, src := range o.site.Sources {
		told := sourceStatus(src.Name, o.snap.Sources[src.Name])
		told.Problem = notedOf(o.snap.Site, "source", src.Name)
		s.Sources = append(s.Sources, told)
		for _, t := range src.Tables {
			ts, err := o.table(src.Name, t, s.Time)
			if err != nil {
				return s, err
			}
			s.Tables = append(s.Tables, ts)
		}
	}
	s.finish()
	return s, nil
}

// recent is how many decisions are looked through for one that was not broken
// off.
const recent = 10

func (o *Offline) table(source string, t TableSite, now time.Time) (TableStatus, error) {
	rec := o.snap.Tables[t.Dataset]
	size := quarantine.Size{Lost: o.lost[t.Dataset]}
	for _, r := range o.rows {
		if r.Table == t.Dataset {
			size.Rows++
			size.Bytes += r.Bytes
			if size.First.IsZero() || r.First.Before(size.First) {
				size.First = r.First
			}
		}
	}
	s := tableStatus(source, t, rec, size, now)
	last, err := o.db.Journal(t.Dataset, recent)
	if err != nil {
		return s, fault.New("read the journal", err, "")
	}
	s.Decision = lastDecided(last)
	// What was broken off ends no problem and is none.
	if i := slices.IndexFunc(last, func(e journal.Entry) bool { return !e.Outcome.Stopped }); i >= 0 && s.Problem == nil {
		if e := last[i].Outcome; e.Error != "" {
			s.Problem = &Problem{Kind: cmp.Or(ProblemKind(e.Kind), ProblemInternal), Scope: "table", Name: s.Name, Message: e.Error, Hint: e.Hint, Since: last[i].Time, Times: 1}
		}
	}
	s.State = stateOf(s, t.Disabled, rec)
	return s, nil
}

// lastDecided is the newest decision of a journal, which has it first.
func lastDecided(newest []journal.Entry) *Decided {
	if len(newest) == 0 {
		return nil
	}
	e := newest[0]
	return &Decided{Time: e.Time, Action: e.Action, Rule: e.Rule, Reason: e.Reason}
}

// find returns the table of a name, and its source's.
func (o *Offline) find(name string) (string, TableSite, error) {
	type of struct {
		source string
		table  TableSite
	}
	var all []of
	for _, src := range o.site.Sources {
		for _, t := range src.Tables {
			all = append(all, of{src.Name, t})
		}
	}
	t, err := byName(name, all, func(t of) TableSite { return t.table })
	return t.source, t.table, err
}

// Journal implements Viewer.
func (o *Offline) Journal(_ context.Context, name string, n int) ([]journal.Entry, error) {
	_, t, err := o.find(name)
	if err != nil {
		return nil, err
	}
	return o.db.Journal(t.Dataset, n)
}

// Explain implements Viewer.
func (o *Offline) Explain(ctx context.Context, name string) (Explanation, error) {
	source, t, err := o.find(name)
	if err != nil {
		return Explanation{}, err
	}
	entries, err := o.Journal(ctx, t.Dataset, explained)
	if err != nil {
		return Explanation{}, err
	}
	e, err := explain(t.Dataset, entries)
	if err != nil {
		return e, err
	}
	s, err := o.table(source, t, time.Now())
	e.Status = &s
	return e, err
}

// Quarantine implements Viewer.
func (o *Offline) Quarantine(_ context.Context, name string) ([]QuarantinedRow, error) {
	if name != "" {
		_, t, err := o.find(name)
		if err != nil {
			return nil, err
		}
		name = t.Dataset
	}
	var rows []quarantine.Row
	for _, r := range o.rows {
		if name == "" || r.Table == name {
			rows = append(rows, r)
		}
	}
	return quarantined(rows), nil
}

// Statistics tells how full the state file is.
func (o *Offline) Statistics(context.Context) (state.Statistics, error) { return o.db.Statistics() }

var _ Viewer = (*Offline)(nil)
