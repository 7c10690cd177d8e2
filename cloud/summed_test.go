package cloud_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"tidemark/cloud"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// summed is a store that sums its rows up when it is asked, so that what the
// handlers say can be held against the rows themselves. A test replaces what
// is to go wrong.
type summed struct {
	cloud.Store
	layout      summary.Layout
	secret      summary.Secret
	tree        func() (*summary.Tree, error)
	differences func(context.Context, summary.CompareQuestion, func(summary.LeafDifference) error) error
}

type summedRow struct {
	row  summary.Row
	leaf summary.Leaf
	cell summary.Cell
	line string // of a manifest
}

func (s *summed) rows(ctx context.Context, customer, table string) (all []summedRow, err error) {
	bucket, err := summary.NewBucketer(s.layout, simple.KeyTypes(), s.secret)
	if err != nil {
		return nil, err
	}
	hash := summary.NewHasher(s.secret, s.layout.Number)
	err = s.Rows(ctx, customer, table, func(r cloud.Row) error {
		key, err := canon.Key(nil, simple.KeyTypes(), r.Values[:1])
		if err != nil {
			return err
		}
		leaf, err := bucket.Leaf(key)
		row := summary.Row{Key: key, Epoch: s.layout.Epoch, Version: r.Version}
		all = append(all, summedRow{row, leaf, hash.Row(key, row.Epoch, row.Version), fmt.Sprintf("[\"%d\",%s]\n", r.Version, r.Values[0])})
		return err
	})
	return all, err
}

func (s *summed) deltas(ctx context.Context, customer, table string) (*summary.Deltas, error) {
	rows, err := s.rows(ctx, customer, table)
	if err != nil {
		return nil, err
	}
	d, err := summary.NewDeltas(s.layout, simple.KeyTypes(), s.secret)
	for _, r := range rows {
		err = errors.Join(err, d.Add(r.row))
	}
	return d, err
}

func (s *summed) Table(ctx context.Context, customer, table string) (wire.Table, error) {
	t, err := s.Store.Table(ctx, customer, table)
	secret, _ := s.secret.MarshalText() // cannot fail
	t.Secret = string(secret)
	return t, err
}

func (s *summed) Tree(ctx context.Context, customer, table string) (*summary.Tree, error) {
	if s.tree != nil {
		return s.tree()
	}
	d, err := s.deltas(ctx, customer, table)
	if err != nil {
		return nil, err
	}
	t := &summary.Tree{Layout: s.layout, Root: d.Root(), Leaves: int64(len(d.Leaves())), Width: summary.MaxWidth}
	for _, n := range d.Nodes() {
		t.Nodes = append(t.Nodes, summary.NodeCell{Node: n.Node, Cell: n.Cell})
	}
	return t, nil
}

func (s *summed) check(layout uint64) error {
	if layout != s.layout.Number {
		return wire.NewProblem(wire.LayoutChanged, "", "")
	}
	return nil
}

func (s *summed) Leaves(ctx context.Context, customer, table string, q summary.LeavesQuestion) (*summary.LeavesAnswer, error) {
	if err := s.check(q.Layout); err != nil {
		return nil, err
	}
	d, err := s.deltas(ctx, customer, table)
	if err != nil {
		return nil, err
	}
	a := &summary.LeavesAnswer{Layout: q.Layout, Width: summary.MaxWidth}
	for _, n := range q.Nodes {
		leaves := summary.NodeLeaves{Node: n}
		for _, l := range d.Leaves() {
			if l.Node == n {
				leaves.Cells[l.Index] = l.Cell
				leaves.Cell.Add(l.Cell)
			}
		}
		a.Nodes = append(a.Nodes, leaves)
	}
	return a, nil
}

func (s *summed) Differences(ctx context.Context, customer, table string, q summary.CompareQuestion, fn func(summary.LeafDifference) error) error {
	if err := s.check(q.Layout); err != nil {
		return err
	}
	if s.differences != nil {
		return s.differences(ctx, q, fn)
	}
	rows, err := s.rows(ctx, customer, table)
	if err != nil {
		return err
	}
	for _, asked := range q.Leaves {
		m, d := summary.NewMatcher(q, asked), summary.LeafDifference{Leaf: asked.Leaf}
		for _, r := range rows {
			if r.leaf != asked.Leaf {
				continue
			}
			if d.Cell.Add(r.cell); !m.Row(r.cell) {
				d.Rows.Buf = append(d.Rows.Buf, r.line...)
				d.Rows.N++
			}
		}
		d.Unmatched = m.Unmatched()
		if err := fn(d); err != nil {
			return err
		}
	}
	return nil
}

func (s *summed) Summarize(context.Context, string, string) (summary.Layout, error) {
	return s.layout, nil
}

func (s *summed) Scrub(context.Context, string, string) (int, error) { return 0, nil }

// newSummedSite is newSite with a store that keeps summaries.
func newSummedSite(t *testing.T, c cloud.Config) (*site, *summed) {
	t.Helper()
	sums := &summed{secret: summary.Secret{1, 2, 3}, layout: summary.Layout{Number: 7, Kind: summary.Ordered, Shift: 2, Epoch: 1}}
	c.Store = sums
	return newSite(t, c), sums
}

const (
	summaryPath  = "/v1/customers/acme/tables/t/summary"
	manifestPath = "/v1/customers/acme/tables/t/manifest"
)

// pack makes a body of a message.
func pack(t testing.TB, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	f := wire.NewFrameWriter(&b)
	if err := errors.Join(write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asMessage(r *http.Request) {
	r.Header.Set("Content-Type", wire.SummaryType)
	r.Header.Set("Content-Encoding", "zstd")
}

// message reads the message of an answer.
func (a answer) message(t testing.TB, read func(io.Reader) error) {
	t.Helper()
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != wire.SummaryType || a.Header.Get("Content-Encoding") != "zstd" {
		t.Fatalf("status %d, %v: %.500s", a.StatusCode, a.Header, a.body)
	}
	f, err := wire.NewFrameReader(bytes.NewReader([]byte(a.body)), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := read(f); err != nil {
		t.Fatal(err)
	}
}
