package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"testing"
	"time"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

func asMessage(r *http.Request) {
	r.Header.Set("Content-Type", wire.SummaryType)
	r.Header.Set("Content-Encoding", "zstd")
}

// pack makes a body of what write writes.
func pack(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	f := wire.NewFrameWriter(&b)
	if err := errors.Join(write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// message reads a message of a summary, whose reader holds it against itself.
func (a answer) message(t *testing.T, read func(io.Reader) error) {
	t.Helper()
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if a.status != http.StatusOK || err != nil || kind != wire.SummaryType || a.header.Get("Content-Encoding") != "zstd" {
		t.Fatalf("status %d, %q: %.500s", a.status, a.header, a.body)
	}
	f, err := wire.NewFrameReader(bytes.NewReader(a.body), maxAnswer)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := read(f); err != nil {
		t.Fatal(err)
	}
}

// is tells whether the answer is a problem of a code.
func (a answer) is(code wire.Code) bool {
	var p wire.Problem
	return a.status == wire.NewProblem(code, "", "").Status && json.Unmarshal(a.body, &p) == nil && p.Code == code
}

// summaryTime is how long a server may take to make the summary of a few
// thousand rows, on a machine that does much else.
const summaryTime = 5 * time.Minute

// tree asks for the summary, until there is one.
func (s *site) tree(t *testing.T, width int, change ...func(*http.Request)) (*summary.Tree, answer) {
	t.Helper()
	a := s.do(t, http.MethodGet, s.path("/summary?width="+strconv.Itoa(width)), nil, change...)
	for start := time.Now(); a.is(wire.NoSummary); {
		if time.Since(start) > summaryTime {
			t.Fatalf("no summary after %s: %s", summaryTime, a.body)
		}
		time.Sleep(50 * time.Millisecond)
		a = s.do(t, http.MethodGet, s.path("/summary?width="+strconv.Itoa(width)), nil, change...)
	}
	var tree *summary.Tree
	a.message(t, func(r io.Reader) (err error) {
		tree, err = summary.ReadTree(r)
		return err
	})
	if tree.Width != width {
		t.Errorf("sums of %d bytes, asked for were %d", tree.Width, width)
	}
	return tree, a
}

// noSummary checks that the table has none.
func (s *site) noSummary(t *testing.T, when string) {
	t.Helper()
	if a := s.do(t, http.MethodGet, s.path("/summary"), nil); !a.is(wire.NoSummary) {
		t.Errorf("%s: status %d, want %s", when, a.status, wire.NoSummary)
	}
}

// leaves asks for the leaves of nodes; nil when the layout is another by now.
func (s *site) leaves(t *testing.T, q summary.LeavesQuestion) (got *summary.LeavesAnswer) {
	t.Helper()
	body := pack(t, func(w io.Writer) error { return summary.WriteLeavesQuestion(w, q) })
	a := s.do(t, http.MethodPost, s.path("/summary"), body, asMessage)
	if a.is(wire.LayoutChanged) || a.is(wire.NoSummary) {
		return nil
	}
	a.message(t, func(r io.Reader) (err error) {
		got, err = summary.ReadLeaves(r, q)
		return err
	})
	return got
}

// compareLeaves sends fingerprints, and calls fn with each leaf's differences;
// false when the layout is another by now.
func (s *site) compareLeaves(t *testing.T, q summary.CompareQuestion, fn func(asked int, d *summary.LeafDifference)) bool {
	t.Helper()
	body := pack(t, func(w io.Writer) error { return summary.WriteCompareQuestion(w, q) })
	a := s.do(t, http.MethodPost, s.path("/manifest"), body, asMessage)
	if a.is(wire.LayoutChanged) || a.is(wire.NoSummary) {
		return false
	}
	a.message(t, func(r io.Reader) error {
		return summary.ReadDifferences(r, q, func(i int, d *summary.LeafDifference) error {
			fn(i, d)
			return nil
		})
	})
	return true
}
