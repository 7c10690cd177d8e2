package differ

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"tidemark/differ/summary"
)

// Bounds of one comparison of leaves.
const (
	askLeaves = 4096
	askRows   = 1 << 16
)

// saltTries is how often a leaf is listed again when the differences found do
// not explain its cell: two rows of it may have the same fingerprint.
const saltTries = 3

// compareLeaves sends the rows of differing leaves up and collects the
// differences. Nothing is repaired yet: this is called between two messages.
func (t *tree) compareLeaves(ctx context.Context, leaves []leafRows) error {
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
			more, err := t.ask(ctx, leaves[:n])
			if err != nil {
				return err
			}
			again, leaves = append(again, more...), leaves[n:]
		}
		if leaves = again; len(leaves) > 0 && try == saltTries-1 {
			return fmt.Errorf("%w: the rows of leaf %d of node %d do not add up to its cell in the cloud",
				summary.ErrMessage, leaves[0].leaf.Index, leaves[0].leaf.Node)
		}
	}
	return nil
}

// ask compares leaves in one question, and returns those whose differences do
// not explain their cells.
func (t *tree) ask(ctx context.Context, leaves []leafRows) (again []leafRows, err error) {
	q := summary.CompareQuestion{Layout: t.sum.Layout.Number, Salt: t.o.salt(), Width: min(t.o.Width, 8)}
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

// held returns cell and canonical key of a row in the buffer.
func (t *tree) held(row int) (summary.Cell, []byte, error) {
	_, key, err := t.keys.read(t.rows.line(row))
	if err != nil {
		return summary.Cell{}, nil, err
	}
	return t.hash.Row(key, t.epoch, t.rows.versions[row]), key, nil
}

// explains tells whether the differences make the cloud's cell of the
// source's: what the source alone has taken out, what the cloud alone has put
// in. Every row listed by the cloud must belong to the leaf.
func (t *tree) explains(d *summary.LeafDifference, l leafRows, listed []int) (bool, error) {
	cell := l.cell
	for _, i := range d.Unmatched {
		if i < 0 || i >= len(listed) {
			return false, fmt.Errorf("%w: row %d of %d", summary.ErrMessage, i, len(listed))
		}
		row, _, err := t.held(listed[i])
		if err != nil {
			return false, err
		}
		cell.Sub(row)
	}
	err := each(d.Rows, func(_ int, line []byte) error {
		stamp, key, err := t.theirs.read(line)
		if err != nil {
			return fmt.Errorf("%w: %w", summary.ErrMessage, err)
		}
		version, epoch, err := t.parseStamp(stamp)
		if err != nil {
			return err
		}
		leaf, err := t.bucket.Leaf(key)
		if err != nil {
			return fmt.Errorf("%w: %w", summary.ErrMessage, err)
		}
		if leaf != l.leaf {
			return fmt.Errorf("%w: a row of another leaf", summary.ErrMessage)
		}
		cell.Add(t.hash.Row(key, epoch, version))
		return nil
	})
	return cell == d.Cell, err
}

// parseStamp takes a stamp apart; see package wire.
func (t *tree) parseStamp(stamp []byte) (version uint64, epoch int64, err error) {
	digits, number, named := bytes.Cut(stamp, []byte{'@'})
	epoch = t.epoch
	if version, err = parseVersion(digits); err == nil && named {
		epoch, err = strconv.ParseInt(string(number), 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("%w: stamp %.40q", summary.ErrMessage, stamp)
	}
	return version, epoch, nil
}

// found sorts the differences of one leaf into missing, stale and surplus.
func (t *tree) found(d *summary.LeafDifference, l leafRows, listed []int) error {
	t.r.Matched += int64(len(listed) - len(d.Unmatched))
	var byKey map[string]int // rows that a row of the cloud may be another version of
	if d.Rows.N > 0 {
		byKey = map[string]int{}
		for _, i := range d.Unmatched {
			_, key, err := t.held(listed[i])
			if err != nil {
				return err
			}
			byKey[string(key)] = listed[i]
		}
		for _, row := range l.rows {
			if t.rows.versions[row] <= t.o.Watermark {
				continue
			}
			_, key, err := t.held(row)
			if err != nil {
				return err
			}
			byKey[string(key)] = row
		}
	}
	stale := map[int]bool{}
	err := each(d.Rows, func(_ int, line []byte) error {
		_, key, err := t.theirs.read(line)
		if err != nil {
			return err
		}
		row, ok := byKey[string(key)]
		if !ok {
			t.r.Surplus++
			t.surplus.add(line, t.theirs.json())
			return nil
		}
		if t.rows.versions[row] <= t.o.Watermark && !stale[row] {
			stale[row] = true
			t.differs(isStale, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, i := range d.Unmatched {
		if !stale[listed[i]] {
			t.differs(isMissing, listed[i])
		}
	}
	return nil
}

func (t *tree) differs(mark byte, row int) {
	if mark == isStale {
		t.r.Stale++
	} else {
		t.r.Missing++
	}
	t.differing.add(mark, appendKey(nil, t.rows.line(row)))
}

// surplus holds candidates for deletes until their number is known.
type surplus struct {
	lines, keys texts // stamp and key, key alone
	sample      []string
	bound       int
}

func (s *surplus) add(line, key []byte) {
	if len(s.sample) < samples {
		s.sample = append(s.sample, string(key))
	}
	if len(s.lines.buf)+len(s.keys.buf) < s.bound {
		s.lines.add(0, line)
		s.keys.add(0, key)
	}
}
