package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tidemark/cloud"
)

// sharing is a store that has seven connections now.
type sharing struct{ cloud.Store }

func (sharing) Connections() int { return 7 }
func (sharing) Refused() uint64  { return 3 }

// How many connections an instance may have is to be seen, and how often there
// was none.
func TestShareIsTold(t *testing.T) {
	told := func(s cloud.Store) bool {
		w := httptest.NewRecorder()
		cloud.New(cloud.Config{Store: s}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return strings.Contains(w.Body.String(), "\ntidemark_connections_share 7\n") && strings.Contains(w.Body.String(), "\ntidemark_connections_refused_total 3\n")
	}
	if !told(sharing{}) || told(struct{ cloud.Store }{}) {
		t.Error("it is not told, or of a store that has none")
	}
}
