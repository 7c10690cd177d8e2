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

// How many connections an instance may have is to be seen.
func TestShareIsTold(t *testing.T) {
	told := func(s cloud.Store) bool {
		w := httptest.NewRecorder()
		cloud.New(cloud.Config{Store: s}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return strings.Contains(w.Body.String(), "\ntidemark_connections_share 7\n")
	}
	if !told(sharing{}) || told(struct{ cloud.Store }{}) {
		t.Error("it is not told, or of a store that has none")
	}
}
