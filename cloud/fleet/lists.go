package fleet

import (
	"net/http"
	"strings"
	"time"
)

// decisions shows the last decisions that moved something.
func (p *Page) decisions(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	var all []decided
	for _, d := range v.decisions {
		if has(query(r), d.Customer, d.Dataset, d.Decision, d.Reason) {
			all = append(all, d)
		}
	}
	return "decisions.html", struct {
		At  time.Time
		All []decided
	}{v.At, all}, nil
}

// has tells whether one of texts has what is searched for.
func has(q string, texts ...string) bool {
	q = strings.ToLower(strings.TrimSpace(q))
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), q) {
			return true
		}
	}
	return false
}

// agents shows which versions run where.
func (p *Page) agents(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	return "agents.html", struct {
		At                time.Time
		Versions, Systems []share
		Reporting         int
	}{v.At, v.versions, v.systems, v.totals.Reporting + v.totals.Silent}, nil
}

// quarantine shows the tables that have rows which could not be sent.
func (p *Page) quarantine(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	var all []held
	for _, h := range v.quarantine {
		if has(query(r), h.Customer, h.Dataset) {
			all = append(all, h)
		}
	}
	return "quarantine.html", struct {
		At   time.Time
		Rows int
		All  []held
		Most bool
	}{v.At, v.totals.Held, all, len(v.quarantine) == mostQuarantine}, nil
}
