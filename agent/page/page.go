package page

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"time"

	"tidemark/agent"
	"tidemark/agent/journal"
)

//go:embed assets
var assets embed.FS

var (
	templates = template.Must(template.New("").Funcs(template.FuncMap{
		"ago": ago, "in": in, "rows": rows, "seconds": seconds, "state": tone, "did": did, "duration": short,
		"pair":  func(now time.Time, p any) map[string]any { return map[string]any{"Now": now, "P": p} },
		"since": func(now, t time.Time) string { return short(now.Sub(t)) },
		"clock": func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") },
	}).ParseFS(assets, "assets/*.html"))
	style, _ = assets.ReadFile("assets/style.css")
)

// A Site is what a page is made of.
type Site struct {
	Viewer  Viewer
	Journal func(ctx context.Context, table string, n int) ([]journal.Entry, error)
	History *History
	Version string
}

// Handler answers with pages: / for the site, /table?name=DATASET for a table.
func Handler(s Site) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.overview)
	mux.HandleFunc("GET /table", s.table)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(style)
	})
	return guard(mux)
}

func (s Site) overview(w http.ResponseWriter, r *http.Request) {
	status, err := s.Viewer.Status(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	all := s.History.Site()
	show(w, "overview.html", map[string]any{
		"Title": status.Customer, "Version": s.Version, "Now": status.Time, "Status": status, "Problems": status.Problems(),
		"Plots": []template.HTML{
			lag("Largest lag of a table", all).svg(status.Time),
			throughput(all).svg(status.Time),
			plot{"Bytes sent per minute", all, func(p Point) float64 { return p.Bytes }, size, topOfSize}.svg(status.Time),
		},
	})
}

// shown is how many entries of a journal a page has.
const shown = journal.MaxEntries

func (s Site) table(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	status, err := s.Viewer.Status(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	explained, err := s.Viewer.Explain(r.Context(), name)
	if err != nil {
		fail(w, err)
		return
	}
	entries, err := s.Journal(r.Context(), name, shown)
	if err != nil {
		fail(w, err)
		return
	}
	points := s.History.Table(explained.Table)
	show(w, "table.html", map[string]any{
		"Title": explained.Table, "Version": s.Version, "Now": status.Time, "Table": explained.Status, "Explained": explained, "Entries": entries,
		"Plots": []template.HTML{lag("Lag", points).svg(status.Time), throughput(points).svg(status.Time)},
	})
}

func lag(title string, points []Point) plot {
	return plot{title, points, func(p Point) float64 { return p.Lag }, seconds, topOfTime}
}

func throughput(points []Point) plot {
	return plot{"Rows changed in the cloud per minute", points, func(p Point) float64 { return p.Rows }, count, topOf(10)}
}

func fail(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, agent.ErrNoTable) || errors.Is(err, agent.ErrAmbiguous) {
		status = http.StatusNotFound
	}
	http.Error(w, err.Error(), status)
}

// show writes a page whole, or says why there is none.
func show(w http.ResponseWriter, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the other end is gone: nobody to tell
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

// A part is one thing that came of a decision.
type part struct {
	N    int64
	What string
}

// did lists what came of a decision.
func did(o journal.Outcome) (all []part) {
	for _, p := range []part{
		{o.Rows, "read"}, {o.Inserted, "inserted"}, {o.Updated, "updated"}, {o.Deleted, "deleted"},
		{o.Unchanged, "unchanged"}, {o.Quarantined, "to quarantine"},
	} {
		if p.N != 0 {
			all = append(all, p)
		}
	}
	return all
}
