package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

func (s *site) manifest(mode wire.ManifestMode, rows int) wire.ManifestHeader {
	return wire.ManifestHeader{Protocol: wire.Protocol, Mode: mode, Epoch: s.epoch, Schema: s.schema.Fingerprint(), Rows: rows}
}

func testCompare(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`, `["2",2,"b"]`, `["3",3,"c"]`)
	var got wire.Comparison
	s.post(t, http.MethodPost, "/manifest", s.manifest(wire.Compare, 5), `["1",1]`, `["1",2]`, `["9",9]`, `["3",3]`, `["4",3]`).document(t, &got)
	if d := cmp.Diff(wire.Comparison{Version: s.version, Missing: []int{2}, Stale: []int{1, 4}}, got); d != "" {
		t.Error(d)
	}
}

func testList(t *testing.T, s *site) {
	s.load(t)
	if got := s.list(t, 10); len(got) != 0 {
		t.Errorf("an empty table: %q", got)
	}
	var rows, want []string
	for i := range 50 {
		rows = append(rows, fmt.Sprintf(`["%d",%d,null]`, i+1, i*1000-7))
		want = append(want, fmt.Sprintf(`["%d",%d]`, i+1, i*1000-7))
	}
	s.delta(t, rows...)
	for _, limit := range []int{1, 7, 50, 50_000} {
		if d := cmp.Diff(sorted(want), sorted(s.list(t, limit))); d != "" {
			t.Errorf("limit %d: %s", limit, d)
		}
	}
}

func testBadManifests(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	post := func(code wire.Code, h wire.ManifestHeader, lines ...string) {
		t.Helper()
		s.post(t, http.MethodPost, "/manifest", h, lines...).problem(t, code)
	}
	h := s.manifest(wire.Compare, 0)
	h.Epoch = "another"
	post(wire.WrongEpoch, h)
	h = s.manifest(wire.List, 0)
	post(wire.Malformed, h) // no limit
	h.Limit = 50_001
	post(wire.Malformed, h)
	h.Limit, h.After = 10, "not what a page said"
	post(wire.Malformed, h)
	h = s.manifest(wire.Compare, 0)
	h.Schema = "another"
	post(wire.SchemaChanged, h)
	h = s.manifest("other", 0)
	post(wire.Malformed, h)
	post(wire.Malformed, s.manifest(wire.Compare, 1), `["1"]`)
	post(wire.Malformed, s.manifest(wire.Compare, 1), `["1",1,"a"]`)
	post(wire.Malformed, s.manifest(wire.Compare, 2), `["1",1]`)
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
