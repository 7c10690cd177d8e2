package page

import (
	"context"
	_ "embed"
	"errors"
	"net/http"

	"tidemark/agent"
	"tidemark/agent/journal"
)

//go:embed assets/style.css
var style []byte

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
	mux.HandleFunc("GET /{$}", page(s.overview))
	mux.HandleFunc("GET /table", page(s.table))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(style)
	})
	return guard(mux)
}

// page shows what make makes, or says why there is none.
func page(make func(*http.Request) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := make(r)
		switch {
		case errors.Is(err, agent.ErrNoTable), errors.Is(err, agent.ErrAmbiguous):
			http.Error(w, err.Error(), http.StatusNotFound)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(b) // the other end is gone: nobody to tell
		}
	}
}

func (s Site) overview(r *http.Request) ([]byte, error) {
	status, err := s.Viewer.Status(r.Context())
	if err != nil {
		return nil, err
	}
	return overview(status, s.History.Site(), s.Version), nil
}

func (s Site) table(r *http.Request) ([]byte, error) {
	name := r.URL.Query().Get("name")
	status, err := s.Viewer.Status(r.Context())
	if err != nil {
		return nil, err
	}
	explained, err := s.Viewer.Explain(r.Context(), name)
	if err != nil {
		return nil, err
	}
	entries, err := s.Journal(r.Context(), name, 0)
	if err != nil {
		return nil, err
	}
	return table(explained, entries, s.History.Table(explained.Table), status.Time, s.Version), nil
}

func lag(title string, points []Point) plot {
	return plot{title, points, func(p Point) float64 { return p.Lag }, seconds, topOfTime}
}

func throughput(points []Point) plot {
	return plot{"Rows changed in the cloud per minute", points, func(p Point) float64 { return p.Rows }, count, topOf(10)}
}
