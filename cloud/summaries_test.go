package cloud_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// load fills the table with rows 1 to n in row versions 1 to n.
func (s *site) load(t *testing.T, n int) {
	t.Helper()
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`["%d",%d,"c"]`, i+1, i+1)
	}
	if a := s.post(t, s.batch(t, lines...)); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func (s *site) getTree(t *testing.T, query string) (*summary.Tree, answer) {
	t.Helper()
	var tree *summary.Tree
	a := s.do(t, http.MethodGet, summaryPath+query, nil)
	a.message(t, func(r io.Reader) (err error) {
		tree, err = summary.ReadTree(r)
		return err
	})
	return tree, a
}

func TestSummary(t *testing.T) {
	s, sums := newSummedSite(t, cloud.Config{})
	s.load(t, 5000)
	tags := map[string]bool{}
	for query, width := range map[string]int{"": 4, "?width=4": 4, "?width=0": 0, "?width=1": 1, "?width=16": 16} {
		want, err := sums.Tree(t.Context(), "acme", "t")
		if err != nil {
			t.Fatal(err)
		}
		want.Width = width
		for i := range want.Nodes {
			want.Nodes[i].Cell = want.Nodes[i].Cell.Cut(width)
		}
		if width == 0 {
			want.Nodes = []summary.NodeCell{}
		}
		got, a := s.getTree(t, query)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", query, d)
		}
		tags[a.Header.Get("ETag")] = true
		again := s.do(t, http.MethodGet, summaryPath+query, nil, func(r *http.Request) { r.Header.Set("If-None-Match", `"x", `+a.Header.Get("ETag")) })
		if again.StatusCode != 304 || again.body != "" || again.Header.Get("ETag") != want.ETag() {
			t.Errorf("%s: %d, %v", query, again.StatusCode, again.Header)
		}
	}
	if len(tags) != 4 {
		t.Errorf("the tags of four widths: %v", tags)
	}
	for _, width := range []string{"-1", "17", "x", "4.0", "99999999999999999999"} {
		s.do(t, http.MethodGet, summaryPath+"?width="+width, nil).problem(t, wire.Malformed)
	}
}

func TestLeaves(t *testing.T) {
	s, _ := newSummedSite(t, cloud.Config{})
	s.load(t, 5000)
	tree, _ := s.getTree(t, "?width=16")
	q := summary.LeavesQuestion{Layout: 7, Width: 3}
	for _, n := range tree.Nodes {
		q.Nodes = append(q.Nodes, n.Node)
	}
	q.Nodes = append(q.Nodes, 1<<60) // an empty one
	ask := func() answer {
		return s.do(t, http.MethodPost, summaryPath, bytes.NewReader(pack(t, func(w io.Writer) error { return summary.WriteLeavesQuestion(w, q) })), asMessage)
	}
	ask().message(t, func(r io.Reader) error {
		a, err := summary.ReadLeaves(r, q)
		if err != nil {
			return err
		}
		for i, n := range a.Nodes {
			if n.Cell != tree.Node(q.Nodes[i]) {
				t.Errorf("node %d is %v, was %v", n.Node, n.Cell, tree.Node(q.Nodes[i]))
			}
		}
		return nil
	})
	q.Layout = 8
	ask().problem(t, wire.LayoutChanged)
}

// ask asks about leaves that the agent has no rows of.
func ask(leaves ...summary.Leaf) summary.CompareQuestion {
	q := summary.CompareQuestion{Layout: 7, Salt: 5, Width: 4}
	for _, l := range leaves {
		q.Leaves = append(q.Leaves, summary.LeafPrints{Leaf: l})
	}
	return q
}

func (s *site) compare(t *testing.T, q summary.CompareQuestion) answer {
	t.Helper()
	return s.do(t, http.MethodPost, manifestPath, bytes.NewReader(pack(t, func(w io.Writer) error { return summary.WriteCompareQuestion(w, q) })), asMessage)
}

func TestDifferences(t *testing.T) {
	s, sums := newSummedSite(t, cloud.Config{})
	s.load(t, 100)
	rows, err := sums.rows(t.Context(), "acme", "t")
	if err != nil {
		t.Fatal(err)
	}
	leaf := rows[50].leaf
	q := ask(leaf)
	for _, r := range rows {
		if r.leaf == leaf && r.row.Version != rows[50].row.Version {
			q.Leaves[0].Prints = append(q.Leaves[0].Prints, q.Salt.Fingerprint(r.cell, q.Width))
		}
	}
	q.Leaves[0].Prints = append(q.Leaves[0].Prints, 1)
	s.compare(t, q).message(t, func(r io.Reader) error {
		return summary.ReadDifferences(r, q, func(_ int, d *summary.LeafDifference) error {
			if cmp.Diff([]int{len(q.Leaves[0].Prints) - 1}, d.Unmatched) != "" || string(d.Rows.Buf) != rows[50].line {
				t.Errorf("%v unmatched, rows %s", d.Unmatched, d.Rows.Buf)
			}
			return nil
		})
	})
	q.Layout = 8
	s.compare(t, q).problem(t, wire.LayoutChanged)
}

// A table of which the store has no summary says so.
func TestNoSummary(t *testing.T) {
	s, sums := newSummedSite(t, cloud.Config{})
	sums.tree = func() (*summary.Tree, error) {
		return nil, fmt.Errorf("read: %w", wire.NewProblem(wire.NoSummary, "", ""))
	}
	s.do(t, http.MethodGet, summaryPath, nil).problem(t, wire.NoSummary)
	sums.tree = func() (*summary.Tree, error) {
		return &summary.Tree{Nodes: make([]summary.NodeCell, summary.MaxNodes+1)}, nil
	}
	s.do(t, http.MethodGet, summaryPath, nil).problem(t, wire.NoSummary)
}

func TestBadQuestions(t *testing.T) {
	s, _ := newSummedSite(t, cloud.Config{})
	s.load(t, 10)
	text := func(s string) []byte {
		return pack(t, func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return err
		})
	}
	leaves := pack(t, func(w io.Writer) error {
		return summary.WriteLeavesQuestion(w, summary.LeavesQuestion{Layout: 7, Width: 4, Nodes: []summary.Node{1, 2}})
	})
	rows := pack(t, func(w io.Writer) error {
		return summary.WriteCompareQuestion(w, ask(summary.Leaf{}, summary.Leaf{Node: 1}))
	})
	for path, good := range map[string][]byte{summaryPath: leaves, manifestPath: rows} {
		bodies := map[string][]byte{"empty": nil, "no frame": []byte("x"), "no message": text(""), "nonsense": text("nonsense\n"),
			"cut": good[:len(good)-1], "another protocol": text(`{"v":2}` + "\n"), "no nodes": text(`{"v":1,"layout":7,"width":4,"nodes":0,"leaves":0}` + "\n"),
			"too many": text(`{"v":1,"layout":7,"width":4,"salt":"0000000000000000","nodes":20000,"leaves":20000}` + "\n"),
			"too few":  text(`{"v":1,"layout":7,"width":4,"salt":"0000000000000000","nodes":2,"leaves":2}` + "\n\x01"),
			"width":    text(`{"v":1,"layout":7,"width":17,"salt":"0000000000000000","nodes":2,"leaves":2}` + "\n\x01\x01"),
			"endless":  pack(t, func(w io.Writer) error { _, err := w.Write(make([]byte, 256<<20)); return err })}
		for name, body := range bodies {
			t.Run(path+" "+name, func(t *testing.T) {
				s.do(t, http.MethodPost, path, bytes.NewReader(body), asMessage).problem(t, wire.Malformed)
			})
		}
		s.do(t, http.MethodPost, path, bytes.NewReader(good), asLines).problem(t, wire.Malformed)
		s.do(t, http.MethodPost, path, bytes.NewReader(good), func(r *http.Request) { r.Header.Set("Content-Type", wire.SummaryType) }).problem(t, wire.Malformed)
		s.do(t, http.MethodPost, path, bytes.NewReader(make([]byte, 4<<20+1)), asMessage).problem(t, wire.TooLarge)
	}
}

// leaf gives a difference of about size bytes that do not compress.
func leaf(l summary.Leaf, size int) summary.LeafDifference {
	d := summary.LeafDifference{Leaf: l}
	for len(d.Rows.Buf) < size {
		d.Rows.Buf = fmt.Appendf(d.Rows.Buf, "[\"%d\",\"%x%x\"]\n", rand.Uint64(), rand.Uint64(), rand.Uint64())
		d.Rows.N++
	}
	d.Cell.Count = int64(d.Rows.N)
	return d
}

// An answer that goes wrong at any leaf is never one that ended well.
func TestDifferencesThatBreak(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	s, sums := newSummedSite(t, cloud.Config{Logger: zap.New(core)})
	s.load(t, 10)
	q := ask(summary.Leaf{Index: 0}, summary.Leaf{Index: 1}, summary.Leaf{Index: 2})
	for name, tt := range map[string]struct {
		size   int // of a leaf
		fail   error
		code   wire.Code // the problem; "" when the answer has begun
		silent bool      // the store forgets a leaf
	}{
		"early":         {100, errors.New("a page is torn"), wire.Internal, false},
		"early layout":  {100, wire.NewProblem(wire.LayoutChanged, "", ""), wire.LayoutChanged, false},
		"late":          {3 << 20, errors.New("a page is torn"), "", false},
		"early short":   {100, nil, wire.Internal, true},
		"late short":    {3 << 20, nil, "", true},
		"too much":      {20 << 20, nil, wire.TooLarge, false},
		"too much late": {9 << 20, nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			logs.TakeAll()
			sums.differences = func(_ context.Context, q summary.CompareQuestion, fn func(summary.LeafDifference) error) error {
				for _, l := range q.Leaves[:2] {
					if err := fn(leaf(l.Leaf, tt.size)); err != nil {
						return err
					}
				}
				if tt.silent || tt.fail != nil {
					return tt.fail
				}
				return fn(leaf(q.Leaves[2].Leaf, tt.size))
			}
			if tt.code != "" {
				s.compare(t, q).problem(t, tt.code)
				return
			}
			got := s.answering(t, q)
			defer got.Body.Close()
			all, err := io.ReadAll(got.Body)
			if err == nil || got.StatusCode != 200 {
				t.Errorf("status %d, %d bytes without an error", got.StatusCode, len(all))
			}
			f, err := wire.NewFrameReader(bytes.NewReader(all), 256<<20)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := io.Copy(io.Discard, f); !errors.Is(err, wire.ErrTruncated) {
				t.Errorf("the frame that came: %v", err)
			}
			for len(logs.FilterMessage("request").FilterLevelExact(zapcore.WarnLevel).All()) == 0 {
				time.Sleep(time.Millisecond)
			}
		})
	}
	text := s.do(t, http.MethodGet, "/metrics", nil).body
	if want := `tidemark_requests_total{method="POST",path="/v1/customers/{customer}/tables/{table}/manifest",status="500"} 5`; !strings.Contains(text, want+"\n") {
		t.Errorf("metrics lack %s:\n%s", want, text)
	}
}

// answering asks about leaves and returns the answer before it is read.
func (s *site) answering(t *testing.T, q summary.CompareQuestion) *http.Response {
	t.Helper()
	body := pack(t, func(w io.Writer) error { return summary.WriteCompareQuestion(w, q) })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+manifestPath, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	asMessage(r)
	r.Header.Set("Authorization", "Bearer "+s.key)
	got, err := s.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A client that does not read what it asked for keeps a place among the
// comparisons no longer than a request may take.
func TestSlowReader(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.RequestTime = time.Minute
		large := leaf(summary.Leaf{}, 10<<20)
		s, sums := newSummedSite(t, cloud.Config{Limits: limits})
		ended := make(chan error, 1)
		sums.differences = func(_ context.Context, q summary.CompareQuestion, fn func(summary.LeafDifference) error) (err error) {
			defer func() { ended <- err }()
			for _, l := range q.Leaves {
				large.Leaf = l.Leaf
				if err := fn(large); err != nil {
					return err
				}
			}
			return nil
		}
		q := ask(summary.Leaf{Index: 0}, summary.Leaf{Index: 1}, summary.Leaf{Index: 2}, summary.Leaf{Index: 3}, summary.Leaf{Index: 4}, summary.Leaf{Index: 5})
		got := s.answering(t, q)
		defer got.Body.Close()
		select {
		case err := <-ended:
			if err == nil {
				t.Error("all of it was sent to nobody")
			}
		case <-time.After(10 * time.Minute):
			t.Fatal("the store still waits")
		}
	})
}

// Summaries are of the class that is refused first.
func TestSummariesAreRefusedFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.Diff = cloud.Class{Running: 1}
		s, sums := newSummedSite(t, cloud.Config{Limits: limits})
		inside, proceed, done := make(chan struct{}), make(chan struct{}), make(chan answer)
		sums.tree = func() (*summary.Tree, error) {
			close(inside)
			<-proceed
			return &summary.Tree{Layout: sums.layout, Width: 16}, nil
		}
		go func() { done <- s.do(t, http.MethodGet, summaryPath, nil) }()
		<-inside
		leaves := pack(t, func(w io.Writer) error {
			return summary.WriteLeavesQuestion(w, summary.LeavesQuestion{Layout: 7, Width: 4, Nodes: []summary.Node{1}})
		})
		for _, a := range []answer{s.do(t, http.MethodGet, summaryPath, nil), s.compare(t, ask(summary.Leaf{})),
			s.do(t, http.MethodPost, summaryPath, bytes.NewReader(leaves), asMessage)} {
			if a.problem(t, wire.Overloaded); a.Header.Get("Retry-After") == "" {
				t.Errorf("%v", a.Header)
			}
		}
		close(proceed)
		if a := <-done; a.StatusCode != 200 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}

// The secret of a table's hashes goes to whoever may read the table, with the
// table, and nowhere else.
func TestSecretIsToldWithTheTableAlone(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	s, sums := newSummedSite(t, cloud.Config{Logger: zap.New(core)})
	s.load(t, 10)
	const secret = "01020300000000000000000000000000"
	if a := s.do(t, http.MethodGet, "/v1/customers/acme/tables/t", nil); !strings.Contains(a.body, `"secret":"`+secret+`"`) {
		t.Errorf("the table: %s", a.body)
	}
	sums.differences = func(context.Context, summary.CompareQuestion, func(summary.LeafDifference) error) error {
		panic("torn")
	}
	for name, a := range map[string]answer{
		"versions": s.do(t, http.MethodGet, versionsPath, nil), "policy": s.do(t, http.MethodGet, "/v1/customers/acme/policy", nil),
		"summary": s.do(t, http.MethodGet, summaryPath, nil), "panic": s.compare(t, ask(summary.Leaf{})), "metrics": s.do(t, http.MethodGet, "/metrics", nil),
		"problem": s.do(t, http.MethodPost, summaryPath, nil, asMessage), "schema": s.post(t, []byte("x")),
	} {
		if strings.Contains(a.body, secret) || strings.Contains(fmt.Sprint(a.Header), secret) {
			t.Errorf("%s tells the secret", name)
		}
	}
	for _, e := range logs.All() {
		if strings.Contains(fmt.Sprint(e.Message, e.ContextMap()), secret) {
			t.Errorf("the log tells the secret: %v", e)
		}
	}
}

// Equal tables of ten million rows cost less than 2 KB, head and all.
func TestSizeOfASummary(t *testing.T) {
	s, sums := newSummedSite(t, cloud.Config{})
	sums.tree = func() (*summary.Tree, error) {
		rnd := rand.New(rand.NewPCG(1, 2))
		tree := &summary.Tree{Layout: summary.Layout{Number: 3, Kind: summary.Ordered, Shift: 7, Epoch: 1, Rows: 1e7}, Width: 16, Leaves: 78_080}
		for i := range 305 {
			rows := 256 * 128
			for range rows { // about Poisson's: keys with gaps
				rows += rnd.IntN(2)*2 - 1
			}
			c := summary.Cell{Count: int64(rows), Hi: rnd.Uint64(), Lo: rnd.Uint64()}
			tree.Root.Add(c)
			tree.Nodes = append(tree.Nodes, summary.NodeCell{Node: summary.Node(1<<48 + i), Cell: c})
		}
		return tree, nil
	}
	for query, most := range map[string]int{"?width=4": 2000, "?width=0": 200} {
		tree, a := s.getTree(t, query)
		if t.Logf("%s: %d bytes", query, len(a.body)); len(a.body) > most || tree.Leaves != 78_080 {
			t.Errorf("%s: %d bytes", query, len(a.body))
		}
	}
	if text := s.do(t, http.MethodGet, "/metrics", nil).body; !strings.Contains(text, `tidemark_body_bytes_total{method="GET",path="/v1/customers/{customer}/tables/{table}/summary",way="out"} `) {
		t.Errorf("metrics lack the bytes:\n%s", text)
	}
}
