package cloud_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// An agent of a protocol to come is told that it is that, and what to do,
// wherever it begins; nothing of what it sends is taken.
func TestAgentOfANewerProtocol(t *testing.T) {
	s := newSite(t, cloud.Config{})
	s.store.apply = func(context.Context) error { t.Error("the store was asked"); return nil }
	frame := func(head string) []byte {
		body, err := wire.EncodeHeader(nil, json.RawMessage(head))
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	newer := wire.Protocol + 1
	asked := func(method, path, kind string, body []byte, code wire.Code, want string) {
		t.Helper()
		p := s.do(t, method, path, bytes.NewReader(body), func(r *http.Request) {
			r.Header.Set("Content-Type", kind)
			r.Header.Set("Content-Encoding", "zstd")
		}).problem(t, code)
		if !strings.Contains(p.Detail, want) || !strings.Contains(p.Detail, wire.ErrProtocol.Error()) || !strings.Contains(p.Hint, "tidemark-cloud version") {
			t.Errorf("%s %s: %q, hint %q", method, path, p.Detail, p.Hint)
		}
	}
	const table = "/v1/customers/acme/tables/t"
	notSpoken := fmt.Sprintf("protocol %d is not spoken here, only %d", newer, wire.Protocol)
	for _, head := range []string{fmt.Sprintf(`{"v":%d}`, newer), fmt.Sprintf(`{"v":%d,"shard":"a"}`, newer)} {
		asked(http.MethodPost, table+"/rows", wire.ContentType, frame(head), wire.Malformed, notSpoken)
		asked(http.MethodDelete, table+"/rows", wire.ContentType, frame(head), wire.Malformed, notSpoken)
		asked(http.MethodPost, table+"/manifest", wire.ContentType, frame(head), wire.Malformed, notSpoken)
		asked(http.MethodPost, table+"/summary", wire.SummaryType, frame(head), wire.Malformed, notSpoken)
		asked(http.MethodPost, table+"/manifest", wire.SummaryType, frame(head), wire.Malformed, notSpoken)
	}
	asked(http.MethodGet, "/v2/customers/acme/versions", "", nil, wire.NotFound, "the API here is /v1")
	if p := s.do(t, http.MethodGet, "/versions", nil).problem(t, wire.NotFound); strings.Contains(p.Detail, "older") {
		t.Errorf("%+v", p)
	}
}
