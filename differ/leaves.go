package differ

import (
	"context"
	"fmt"

	"tidemark/differ/summary"
)

// Bounds of one comparison of leaves.
const (
	askLeaves = 4096
	askRows   = 1 << 16
)

// saltTries is how often a leaf is listed when the differences found do not
// explain its cell: two rows of it may have the same fingerprint. From the
// second time on fingerprints have all their 8 bytes.
const saltTries = 3

// compareLeaves sends the rows of differing leaves up and collects the
// differences. Nothing is repaired yet: this is called between two messages.
func (t *tree) compareLeaves(ctx context.Context, leaves []leafRows) error {
	width := min(t.o.Width, 8)
	for try := 0; len(leaves) > 0; try++ {
		var again []leafRows
		for len(leaves) > 0 {
			n, rows := 0, 0
			for n < len(leaves) && n < askLeaves && (n == 0 || rows+len(leaves[n].rows) <= askRows) {
				rows += len(leaves[n].rows)
				n++
			}
			if rows > summary.MaxRowsCompared {
				return fmt.Errorf("%w: %d rows in one leaf", errManifest, rows)
			}
			more, err := t.ask(ctx, leaves[:n], width)
			if err != nil {
				return err
			}
			again, leaves = append(again, more...), leaves[n:]
		}
		width = 8
		if leaves = again; len(leaves) > 0 && try == saltTries-1 {
			return fmt.Errorf("%w: the rows of leaf %d of node %d do not add up to its cell in the cloud",
				summary.ErrMessage, leaves[0].leaf.Index, leaves[0].leaf.Node)
		}
	}
	return nil
}

// ask compares leaves in one question, and returns those whose differences do
// not explain their cells.
func (t *tree) ask(ctx context.Context, leaves []leafRows, width int) (again []leafRows, err error) {
	q := summary.CompareQuestion{Layout: t.sum.Layout.Number, Salt: t.o.salt(), Width: width}
	listed := make([][]int, len(leaves)) // rows behind the fingerprints
	for i, l := range leaves {
		prints := make([]uint64, 0, len(l.rows))
		for _, row := range l.rows {
			if t.rows.versions[row] > t.o.Watermark {
				continue
			}
			cell, _, err := t.held(row)
			if err != nil {
				return nil, err
			}
			prints = append(prints, q.Salt.Fingerprint(cell, q.Width))
			listed[i] = append(listed[i], row)
		}
		q.Leaves = append(q.Leaves, summary.LeafPrints{Leaf: l.leaf, Prints: prints})
	}
	answered := 0
	err = t.cloud.Differences(ctx, q, func(asked int, d *summary.LeafDifference) error {
		if asked != answered || asked >= len(leaves) || d.Leaf != leaves[asked].leaf {
			return fmt.Errorf("%w: leaf %d of node %d was not asked for", summary.ErrMessage, d.Leaf.Index, d.Leaf.Node)
		}
		answered++
		explained, err := t.explains(d, leaves[asked], listed[asked])
		if err != nil {
			return err
		}
		if !explained {
			again = append(again, leaves[asked])
			return nil
		}
		return t.found(d, leaves[asked], listed[asked])
	})
	if err == nil && answered != len(leaves) {
		err = fmt.Errorf("%w: %d leaves asked, %d answered", summary.ErrMessage, len(leaves), answered)
	}
	return again, err
}
