package fleet

import (
	"net/http"
	"time"
)

// decisions shows the last decisions that moved something.
func (p *Page) decisions(r *http.Request) (string, any, error) {
	v, err := p.watcher.Look(r.Context())
	if err != nil {
		return "", nil, err
	}
	all := v.decisions
	if q := query(r); q != "" {
		all = v.findDecisions(q)
	}
	return "decisions.html", struct {
		At   time.Time
		All  []decided
		Most bool
	}{v.At, all, len(all) == mostDecisions}, nil
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
	all := v.quarantine
	if q := query(r); q != "" {
		all = v.findHeld(q)
	}
	return "quarantine.html", struct {
		At   time.Time
		Rows int
		All  []held
		Most bool
	}{v.At, v.totals.Held, all, len(all) == mostQuarantine}, nil
}
