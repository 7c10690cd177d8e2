package uploader_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tidemark/internal/wire"
	"tidemark/uploader"
)

// An error of a request that the cloud has seen names it, by the id that the
// cloud's log has; one that never got there names none.
func TestErrorsNameTheRequest(t *testing.T) {
	var id string
	var again atomic.Pointer[context.CancelFunc] // ends a call that is tried a second time
	tries := map[string]int{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		id = r.Header.Get(wire.HeaderRequestID)
		if tries[r.URL.Path]++; tries[r.URL.Path] == 2 {
			(*again.Load())()
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/versions"):
			panic(http.ErrAbortHandler) // the connection breaks
		case strings.HasSuffix(r.URL.Path, "/policy"):
			w.WriteHeader(http.StatusBadGateway)
		default:
			p := wire.NewProblem(wire.WrongSequence, "it is at 7", "")
			w.Header().Set("Content-Type", wire.ProblemType)
			w.WriteHeader(p.Status)
			_ = json.NewEncoder(w).Encode(p)
		}
	})
	network := func(url string) *uploader.Client {
		return client(t, nil, func(c *uploader.Config) { c.Transport, c.BaseURL, c.TLS.CA = nil, url, caFile(t, s) })
	}
	_, err := network(s.URL).Send(t.Context(), "t", header(1), zipped(line))
	if err == nil || id == "" || !strings.HasSuffix(err.Error(), " [request "+id+"]") {
		t.Errorf("request %q: %v", id, err)
	}
	for name, ask := range map[string]func(context.Context) error{
		"versions": func(ctx context.Context) error { _, err := network(s.URL).Versions(ctx); return err },
		"policy":   func(ctx context.Context) error { _, err := network(s.URL).Policy(ctx); return err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		again.Store(&cancel)
		err := ask(ctx)
		cancel()
		if err == nil || !strings.Contains(err.Error(), "[request ") {
			t.Errorf("%s: %v", name, err)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := network("https://127.0.0.1:1").Versions(ctx); err == nil || strings.Contains(err.Error(), "[request ") {
		t.Errorf("nobody was reached: %v", err)
	}
}
