package metrics

import (
	"context"
	"net/http"
	"time"

	"tidemark/agent"
)

// A Viewer is what the handler needs of an agent.
type Viewer interface {
	Status(ctx context.Context) (agent.Status, error)
}

// Handler answers GET /metrics, and nothing else.
func Handler(v Viewer, r *Recorder, version string, started time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, req *http.Request) {
		s, err := v.Status(req.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(Text(s, r, version, This(started))) // the other end is gone: nobody to tell
	})
	return mux
}
