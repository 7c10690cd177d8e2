package differ

import (
	"bytes"
	"fmt"
	"strconv"

	"tidemark/differ/summary"
)

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
	t.accounted.Add(d.Cell)
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
