package fleet

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// mostBatches bounds the journal that is shown.
const mostBatches = 200

// A site is the page of a customer.
type site struct {
	*customer
	Report       wire.Report
	Status, Tone string
	Tables       []siteTable
	Batches      []cloud.Taken
	All          int // batches that are remembered
	Table        string
	Parts        []part
	Groups       []string
}

// A siteTable is a table as the site and the cloud know it.
type siteTable struct {
	wire.TableReport
	Level, Tone string
	Behind      time.Duration
	Decided     time.Time // by the server's clock
	Equal       time.Time // by the server's clock
	Cloud       *int64    // rows; nil: the cloud does not know the table
}

// A part is a policy that holds for the customer, in words.
type part struct {
	From  string
	Lines []string
}

// customer shows one customer, as it is now.
func (p *Page) customer(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	known := v.byID[r.PathValue("customer")]
	if known == nil {
		return "", nil, errNoCustomer
	}
	select {
	case p.reading <- struct{}{}:
		defer func() { <-p.reading }()
	case <-r.Context().Done():
		return "", nil, r.Context().Err()
	}
	s, err := p.read(r.Context(), known, v.rules)
	if err != nil {
		return "", nil, err
	}
	s.journal(r.URL.Query().Get("table"))
	return "customer.html", s, nil
}

// read reads the rows of a customer: its report, and a row or two a table.
func (p *Page) read(ctx context.Context, known *customer, rules *cloud.Rules) (*site, error) {
	now := p.config.Now()
	c := *known
	s := &site{customer: &c, Groups: rules.GroupsOf(c.ID)}
	report, err := p.config.Store.Report(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	versions, err := p.config.Store.Versions(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if s.Batches, err = p.config.Store.Recent(ctx, c.ID); err != nil {
		return nil, err
	}
	if !report.Received.IsZero() {
		if s.Report, err = report.Read(); err != nil {
			return nil, err
		}
		fresh := newStore()
		fresh.read(&c, report, s.Report)
	}
	c.judge(now, p.config.SilentAfter)
	s.Status, s.Tone = c.status(now)
	s.tables(versions, now)
	for _, from := range rules.Parts(c.ID) {
		s.Parts = append(s.Parts, part{from.From, saying(from.Policy)})
	}
	return s, nil
}

func (s *site) tables(versions wire.Versions, now time.Time) {
	reported := map[string]bool{}
	server := func(t time.Time) time.Time { // the site's clock may be wrong
		if t.IsZero() {
			return t
		}
		return s.Received.Add(-max(s.Report.Time.Sub(t), 0))
	}
	for i, t := range s.Report.Tables {
		held := s.customer.Tables[i]
		l := s.level(held, now)
		row := siteTable{TableReport: t, Level: classOf(l), Tone: toneOfLevel(l), Behind: s.behind(held, now), Decided: server(t.Decided), Equal: server(t.Synced)}
		if v, ok := versions.Tables[t.Name]; ok {
			row.Cloud = &v.Rows
		}
		reported[t.Name] = true
		s.Tables = append(s.Tables, row)
	}
	for name, v := range versions.Tables { // a report leaves out tables that are well when it would be too large
		if !reported[name] {
			state := "not reported"
			if s.Report.Omitted > 0 {
				state = "well"
			}
			s.Tables = append(s.Tables, siteTable{TableReport: wire.TableReport{Name: name, State: state}, Level: classOf(none), Cloud: &v.Rows})
		}
	}
	slices.SortFunc(s.Tables, func(a, b siteTable) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(b.Behind, a.Behind), cmp.Compare(a.Name, b.Name))
	})
}

func toneOfLevel(l level) string {
	switch l {
	case fine:
		return "good"
	case little, some:
		return "mild"
	case much, far, ill:
		return "bad"
	}
	return ""
}

// outcome says what became of a batch's rows.
func outcome(t cloud.Taken) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{t.Refused, "refused"}, {t.Inserted, "inserted"}, {t.Updated, "updated"}, {t.Deleted, "deleted"}, {t.Unchanged, "unchanged"}, {t.Guarded, "kept"}} {
		if p.n > 0 {
			parts = append(parts, count(p.n)+" "+p.what)
		}
	}
	if len(parts) == 0 {
		return "no rows: the watermark moved"
	}
	return strings.Join(parts, ", ")
}

// journal puts the batches in order, the newest first, of one table alone
// where one is named.
func (s *site) journal(table string) {
	if table != "" {
		s.Table = table
		s.Batches = slices.DeleteFunc(s.Batches, func(t cloud.Taken) bool { return t.Table != table })
	}
	slices.SortFunc(s.Batches, func(a, b cloud.Taken) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(a.Table, b.Table), cmp.Compare(b.Seq, a.Seq))
	})
	s.All = len(s.Batches)
	s.Batches = s.Batches[:min(s.All, mostBatches)]
}
