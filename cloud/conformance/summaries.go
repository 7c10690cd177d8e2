package conformance

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// testSummary follows a table through all that changes its rows.
func testSummary(t *testing.T, s *site) {
	s.noSummary(t, "before the first batch")
	first := lines(3000, -1500, 3, 1)
	h := s.header(wire.Load, 2000)
	cursor := "c"
	h.Start, h.Cursor = true, &cursor
	s.send(t, h, first[:2000]...)
	s.noSummary(t, "in the middle of the first load")
	h = s.header(wire.Load, 1000)
	mark := uint64(3000)
	h.Complete, h.Watermark = true, &mark
	s.send(t, h, first[2000:]...)
	s.summedUp(t, "loaded")

	tag := func() string {
		_, a := s.tree(t, 4)
		return a.header.Get("ETag")
	}
	before := tag()
	cached := s.do(t, http.MethodGet, s.path("/summary?width=4"), nil, func(r *http.Request) { r.Header.Set("If-None-Match", before) })
	if before == "" || cached.status != http.StatusNotModified || len(cached.body) != 0 {
		t.Errorf("ETag %q: status %d", before, cached.status)
	}
	s.delta(t, lines(10, -1500, 3, 1)...) // as they are
	if again := tag(); again != before {
		t.Errorf("ETag %q after a batch that changed nothing, was %q", again, before)
	}

	for _, change := range []struct {
		name string
		make func()
	}{
		{"appended", func() { s.delta(t, lines(500, 100_000, 1, 4000)...) }},
		{"updated", func() { s.delta(t, lines(500, -1500, 6, 5000)...) }},
		{"scattered", func() { s.delta(t, lines(50, -2_000_000_000, 80_000_000, 6000)...) }},
		{"repaired", func() { s.send(t, s.header(wire.Repair, 50), lines(50, 7, 11, 7000)...) }},
		{"a key twice", func() { s.delta(t, `["8000",5,"a"]`, `["8001",5,"b"]`, `["8000",5,"c"]`) }},
		{"deleted", func() { s.deletes(t, 3) }},
	} {
		change.make()
		s.summedUp(t, change.name)
	}
	if again := tag(); again == before {
		t.Errorf("the ETag %q outlives the rows", before)
	}
}

// deletes deletes every n-th row, and guards against as many that are others
// by now.
func (s *site) deletes(t *testing.T, n int) {
	t.Helper()
	all := s.list(t, 50_000)
	var gone []string
	for i := 0; i < len(all); i += n {
		gone = append(gone, all[i])
		if i+1 < len(all) {
			gone = append(gone, strings.Replace(all[i+1], `["`, `["9`, 1))
		}
	}
	a := s.send(t, s.header(wire.Delete, len(gone)), gone...)
	if a.Deleted == 0 || a.Guarded == 0 {
		t.Errorf("%+v", a)
	}
}

// testSummaryOfText does it for a key whose order is its source's own secret.
func testSummaryOfText(t *testing.T, s *site) {
	s.schema.Columns[0] = wire.Column{Name: "id", Type: wire.Type{Kind: wire.NVarChar, Len: 40}}
	s.summaryOf(t, func(i int) string { return fmt.Sprintf(`"key %d, \u00e4\ud83d\ude00 %d"`, i*7919, i%3) })
}

func testSummaryOfGUIDs(t *testing.T, s *site) {
	s.schema.Columns[0] = wire.Column{Name: "id", Type: wire.Type{Kind: wire.UniqueIdentifier}}
	s.summaryOf(t, func(i int) string {
		u := random()
		return `"` + strings.Join([]string{u[:8], u[8:12], u[12:16], u[16:20], u[20:]}, "-") + `"`
	})
}

// summaryOf registers the site's schema as a table of its own, and fills it
// with rows under keys of another type.
func (s *site) summaryOf(t *testing.T, key func(int) string) {
	k := *s
	k.table += " of its own"
	k.register(t)
	defer k.drop(t)
	var rows []string
	for i := range 2000 {
		rows = append(rows, fmt.Sprintf(`["%d",%s,null]`, i+1, key(i)))
	}
	k.load(t, rows...)
	k.summedUp(t, "loaded")
	k.delta(t, fmt.Sprintf(`["3000",%s,null]`, key(5000)))
	k.deletes(t, 7)
	k.summedUp(t, "changed")
	k.spoiledList(t)
}

// testSummaryOfEpochs leaves rows of an old epoch behind, whose hashes keep it.
func testSummaryOfEpochs(t *testing.T, s *site) {
	s.load(t, lines(1000, 1, 1, 1)...)
	s.summedUp(t, "loaded")
	s.epoch = "epoch-b"
	h := s.header(wire.Load, 400)
	cursor := "c"
	h.Start, h.Cursor = true, &cursor
	s.send(t, h, lines(400, 1, 1, 1)...) // the same row versions, in another history
	h = s.header(wire.Load, 100)
	mark := uint64(2000)
	h.Complete, h.Watermark = true, &mark
	s.send(t, h, lines(100, 401, 1, 1001)...)
	s.summedUp(t, "loaded again")
	s.deletes(t, 50)
	s.summedUp(t, "deleted")
	s.drop(t)
	s.noSummary(t, "dropped")
	s.version = s.read(t)
	s.load(t, lines(100, 1, 1, 1)...)
	s.summedUp(t, "loaded after all was dropped")
}

func testDifferences(t *testing.T, s *site) {
	s.load(t, lines(2000, 1, 1, 1)...)
	s.spoiledList(t)
}

// spoiledList sends lists that lack rows, hold rows in other versions, and rows
// that the server lacks.
func (s *site) spoiledList(t *testing.T) {
	t.Helper()
	for range tries {
		tree, _ := s.tree(t, 4)
		if s.spoil(t, tree.Layout) {
			return
		}
	}
	t.Error("another layout, again and again")
}

func (s *site) spoil(t *testing.T, l summary.Layout) bool {
	t.Helper()
	rows, _ := s.sum(t, l)
	slices.SortStableFunc(rows, func(a, b row) int { return a.leaf.Compare(b.leaf) })
	for _, width := range []int{8, 5} {
		q := summary.CompareQuestion{Layout: l.Number, Salt: summary.NewSalt(), Width: width}
		var want []summary.LeafDifference
		for i := range rows {
			r := rows[i]
			if len(want) == 0 || want[len(want)-1].Leaf != r.leaf {
				want = append(want, summary.LeafDifference{Leaf: r.leaf})
				q.Leaves = append(q.Leaves, summary.LeafPrints{Leaf: r.leaf})
			}
			d, sent := &want[len(want)-1], &q.Leaves[len(want)-1]
			d.Cell.Add(r.cell)
			if i%10 == 3 || i%10 == 7 { // the server's alone, or otherwise
				d.Rows.Buf = append(d.Rows.Buf, r.line...)
				d.Rows.N++
			}
			if i%10 == 7 || i%10 == 8 { // not the server's
				d.Unmatched = append(d.Unmatched, len(sent.Prints))
				sent.Prints = append(sent.Prints, q.Salt.Fingerprint(summary.Cell{Count: 1, Hi: uint64(i), Lo: 1}, width))
			}
			if i%10 != 3 && i%10 != 7 {
				sent.Prints = append(sent.Prints, q.Salt.Fingerprint(r.cell, width))
			}
		}
		ok := s.compareLeaves(t, q, func(i int, d *summary.LeafDifference) {
			w := want[i]
			if d.Leaf != w.Leaf || d.Cell != w.Cell || !slices.Equal(d.Unmatched, w.Unmatched) {
				t.Errorf("leaf %d: %v, %v, unmatched %v; want %v, %v, %v", i, d.Leaf, d.Cell, d.Unmatched, w.Leaf, w.Cell, w.Unmatched)
			}
			if diff := cmp.Diff(sorted(strings.SplitAfter(string(w.Rows.Buf), "\n")), sorted(strings.SplitAfter(string(d.Rows.Buf), "\n"))); diff != "" {
				t.Errorf("leaf %d: %s", i, diff)
			}
		})
		if !ok {
			return false
		}
	}
	return true
}

func testBadSummaries(t *testing.T, s *site) {
	s.load(t, lines(500, 1, 1, 1)...)
	tree, _ := s.tree(t, 4)
	for _, width := range []string{"-1", "17", "four"} {
		s.do(t, http.MethodGet, s.path("/summary?width="+width), nil).problem(t, wire.Malformed)
	}
	text := func(text string) []byte {
		return pack(t, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	}
	post := func(code wire.Code, path string, body []byte, change ...func(*http.Request)) {
		t.Helper()
		s.do(t, http.MethodPost, s.path(path), body, change...).problem(t, code)
	}
	unknown := tree.Layout.Number + 1000
	leaf := []summary.LeafPrints{{Leaf: summary.Leaf{Node: 1 << 40, Index: 7}}}
	for path, good := range map[string]func(layout uint64) []byte{
		"/summary": func(layout uint64) []byte {
			return pack(t, func(w io.Writer) error {
				return summary.WriteLeavesQuestion(w, summary.LeavesQuestion{Layout: layout, Width: 4, Nodes: []summary.Node{1 << 40}})
			})
		},
		"/manifest": func(layout uint64) []byte {
			return pack(t, func(w io.Writer) error {
				return summary.WriteCompareQuestion(w, summary.CompareQuestion{Layout: layout, Width: 4, Leaves: leaf})
			})
		},
	} {
		if a := s.do(t, http.MethodPost, s.path(path), good(tree.Layout.Number), asMessage); a.status != http.StatusOK {
			t.Errorf("%s: a node that is empty: status %d: %.500s", path, a.status, a.body)
		}
		body := good(unknown)
		post(wire.LayoutChanged, path, body, asMessage)
		post(wire.Malformed, path, body) // without content type and encoding
		post(wire.Malformed, path, body, asLines)
		post(wire.Malformed, path, body, asMessage, func(r *http.Request) { r.Header.Del("Content-Encoding") })
		post(wire.Malformed, path, nil, asMessage)
		post(wire.Malformed, path, []byte("not a frame"), asMessage)
		for _, cut := range []int{1, 5, len(body) / 2, len(body) - 1} {
			post(wire.Malformed, path, body[:cut], asMessage)
		}
		for _, bad := range []string{"", "\n", "{}\n", `{"v":2}` + "\n", `{"v":1,"layout":1,"width":4,"nodes":0,"leaves":0}` + "\n", "\xff\n",
			`{"v":1,"layout":1,"width":4,"salt":"0000000000000000","nodes":2,"leaves":2}` + "\n\x01",
			`{"v":1,"layout":1,"width":4,"salt":"0000000000000000","nodes":1,"leaves":1}` + "\n\x01\x01\x00more than announced",
			`{"v":1,"layout":1,"width":0,"salt":"0000000000000000","nodes":1,"leaves":1}` + "\n\x01\x01\x00",
			`{"v":1,"layout":1,"width":4,"salt":"0000000000000000","nodes":1000000,"leaves":1000000}` + "\n\x01"} {
			post(wire.Malformed, path, text(bad), asMessage)
		}
		post(wire.Malformed, path, bomb([]byte(`{"v":1,`), 512<<20), asMessage)
		post(wire.TooLarge, path, make([]byte, 5<<20), asMessage)
	}
	s.summedUp(t, "after all that")
}
