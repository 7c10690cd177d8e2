package cloud

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// maxQuestion bounds the body of a question about a summary: the fingerprints
// of summary.MaxRowsCompared rows, which do not compress, fit.
const maxQuestion = 4 << 20

// maxDifferences bounds the answer to a comparison of leaves, decompressed. It
// is what an agent takes for an answer.
const maxDifferences = 64 << 20

// defaultWidth is that of sums whose width nobody asked for.
const defaultWidth = 4

// getSummary answers root and nodes. The ETag tells which rows they sum up,
// and how.
func (s *Server) getSummary(c *call) error {
	width, err := widthOf(c.r)
	if err != nil {
		return malformed(err)
	}
	t, err := s.store.Tree(c.r.Context(), c.customer, c.table)
	if err != nil {
		return err
	}
	if len(t.Nodes) > summary.MaxNodes {
		return wire.NewProblem(wire.NoSummary, fmt.Sprintf("the summary has %d nodes, the most is %d", len(t.Nodes), summary.MaxNodes), "Compare by manifests.")
	}
	t.Width = width
	for i := range t.Nodes {
		t.Nodes[i].Cell = t.Nodes[i].Cell.Cut(width)
	}
	h := c.w.Header()
	h.Set("ETag", t.ETag())
	h.Set("Cache-Control", "private, no-cache")
	if matches(c.r.Header.Get("If-None-Match"), t.ETag()) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return s.answerMessage(c, func(w io.Writer) error { return summary.WriteTree(w, t) })
}

func widthOf(r *http.Request) (int, error) {
	text := r.URL.Query().Get("width")
	if text == "" {
		return defaultWidth, nil
	}
	width, err := strconv.Atoi(text)
	if err != nil || width < 0 || width > summary.MaxWidth {
		return 0, fmt.Errorf("query: width is 0 to %d, not %.20q", summary.MaxWidth, text)
	}
	return width, nil
}

// postSummary answers the leaves of nodes.
func (s *Server) postSummary(c *call) error {
	q, err := question(c, summary.ReadLeavesQuestion)
	if err != nil {
		return err
	}
	a, err := s.store.Leaves(c.r.Context(), c.customer, c.table, q)
	if err != nil {
		return err
	}
	a.Layout, a.Width = q.Layout, q.Width
	for i := range a.Nodes {
		for j, cell := range a.Nodes[i].Cells {
			a.Nodes[i].Cells[j] = cell.Cut(q.Width)
		}
	}
	return s.answerMessage(c, func(w io.Writer) error { return summary.WriteLeaves(w, a) })
}

// postDifferences compares the rows of leaves, and answers leaf by leaf.
func (s *Server) postDifferences(c *call) error {
	q, err := question(c, summary.ReadCompareQuestion)
	if err != nil {
		return err
	}
	return s.answerMessage(c, func(w io.Writer) error {
		out := summary.NewDifferenceWriter(w, q)
		leaves, rows, size := 0, 0, 0
		err := s.store.Differences(c.r.Context(), c.customer, c.table, q, func(d summary.LeafDifference) error {
			leaves, rows, size = leaves+1, rows+d.Rows.N, size+len(d.Rows.Buf)
			if rows > summary.MaxRowsCompared || size > maxDifferences {
				return wire.NewProblem(wire.TooLarge, fmt.Sprintf("over %d rows, or %d bytes of them, differ", summary.MaxRowsCompared, maxDifferences), "Ask for fewer leaves at once.")
			}
			return out.Leaf(d)
		})
		if err == nil && leaves != len(q.Leaves) {
			err = fmt.Errorf("the store compared %d leaves of %d", leaves, len(q.Leaves))
		}
		if err != nil {
			return err
		}
		return out.Close()
	})
}

// question reads the body of a question.
func question[Q any](c *call, read func(io.Reader) (Q, error)) (q Q, err error) {
	f, err := wire.NewFrameReader(bytes.NewReader(c.body), maxDifferences)
	if err != nil {
		return q, err
	}
	defer f.Close()
	return read(f)
}
