package sqlserver

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/dchest/siphash"

	"tidemark/internal/wire"
)

// Oversize names a row over the row limit. It is not among the lines, and its
// large values were not transferred unless only their text form is too large.
type Oversize struct {
	Key     []byte // JSON array of the key's wire values
	Version uint64
	Bytes   int64 // of its large values, or of its line
}

// A collector turns result rows into lines.
type collector struct {
	plan   *plan
	out    *wire.Lines
	limits Limits

	keysOnly bool // manifest lines
	lookup   bool // rows have a number in front
	window   bool // rows have a number behind
	from     uint64
	ceiling  uint64 // window: rows outside (from, ceiling] are not delivered

	// each, if set, is called for a row before it is delivered. errSkip leaves
	// it out.
	each func() error

	startN, startLen int
	rows             int // result rows seen
	number           int // of the last row: in its window, or its place in the question
	version          uint64
	over             bool // the last row was over the row limit
	cut              bool // stopped by a limit
	oversize         []Oversize

	scratch []byte
	line    []byte   // holds the last row's key values
	spans   [][2]int // where in line
}

func newCollector(p *plan, out *wire.Lines, l Limits) *collector {
	return &collector{plan: p, out: out, limits: l, startN: out.N, startLen: len(out.Buf), spans: make([][2]int, len(p.keyAt))}
}

// read takes all result sets of a batch.
func (c *collector) read(r *rows) error {
	var lead []shape
	if c.lookup {
		lead = []shape{{name: "INT"}}
	}
	want := c.plan.shapes(lead, c.window)
	for {
		if columns := r.Columns(); len(columns) > 0 && columns[0] == "w0" {
			return check(r, c.plan.witnessShapes())
		}
		if err := check(r, want); err != nil {
			return err
		}
		if err := r.eachRow(c.add); err != nil {
			return err
		}
		switch more, err := r.nextSet(); {
		case err != nil:
			return err
		case more:
		case len(c.plan.witness) > 0:
			return errShort
		default:
			return nil
		}
	}
}

// add takes one result row.
func (c *collector) add(v []driver.Value) error {
	if c.lookup {
		c.number, v = int(intOf(v[0])), v[1:]
	}
	versioned := c.plan.table.RowVersion != ""
	if versioned {
		b, ok := v[0].([]byte)
		if !ok || len(b) != 8 {
			return fmt.Errorf("%w: the row version is no row version", ErrSchemaChanged)
		}
		c.version, v = binary.BigEndian.Uint64(b), v[1:]
	}
	if c.window {
		c.number = int(intOf(v[len(v)-1]))
		v = v[:len(v)-1]
	}
	var size int64
	if len(c.plan.large) > 0 {
		size = intOf(v[len(v)-1])
	}
	c.rows++

	start := len(c.out.Buf)
	line := c.out.Buf
	if versioned {
		line = append(strconv.AppendUint(append(line, `["`...), c.version, 10), '"')
	} else {
		line = c.scratch[:0]
	}
	line, err := c.values(line, v, size > c.limits.RowBytes)
	if err != nil {
		return err
	}
	c.line = line
	if !versioned {
		c.scratch = line
		c.version = contentVersion(line, size, size > c.limits.RowBytes)
		line = append(strconv.AppendUint(append(c.out.Buf, `["`...), c.version, 10), '"')
		if c.keysOnly {
			for _, s := range c.spans {
				line = append(append(line, ','), c.line[s[0]:s[1]]...)
			}
		} else {
			line = append(line, c.line...)
		}
	}
	line = append(line, ']', '\n')
	c.out.Buf = line[:start]
	if c.window && (c.version <= c.from || c.version > c.ceiling) {
		return nil // the window's last row, not part of the delta
	}
	c.over = !c.keysOnly && (size > c.limits.RowBytes || int64(len(line)-start) > c.limits.RowBytes)
	if c.each != nil {
		if err := c.each(); errors.Is(err, errSkip) {
			return nil
		} else if err != nil {
			return err
		}
	}
	if c.over {
		c.oversize = append(c.oversize, Oversize{c.key(), c.version, max(size, int64(len(line)-start))})
	} else {
		c.out.Buf = line
		c.out.N++
	}
	if c.out.N-c.startN+len(c.oversize) >= c.limits.ChunkRows || len(c.out.Buf)-c.startLen >= c.limits.ChunkBytes {
		c.cut = true
		return errStop
	}
	return nil
}

// errSkip is returned by each for a row that is not wanted.
var errSkip = errors.New("row not wanted")

// values appends the row's values, each behind a comma, and notes where the
// key's are.
func (c *collector) values(line []byte, v []driver.Value, over bool) ([]byte, error) {
	next := 0
	for n, i := range c.plan.columns {
		column := &c.plan.table.Columns[i]
		line = append(line, ',')
		start := len(line)
		var err error
		switch {
		case v[next] == nil && !column.Nullable && !(over && column.isLarge()):
			return line, fmt.Errorf("%w: column %s can be null now", ErrSchemaChanged, column.Name)
		case column.Type.Kind == wire.Variant:
			line, err = appendVariant(line, v[next], v[next+1:next+1+variantParts])
			next += variantParts
		default:
			line, err = appendValue(line, column.Type, v[next])
		}
		if err == nil && column.hash != "" {
			line, err = column.appendHashed(line, start)
		}
		if err != nil {
			return line, fmt.Errorf("column %s: %w", column.Name, err)
		}
		next++
		for k, at := range c.plan.keyAt {
			if at == n {
				c.spans[k] = [2]int{start, len(line)}
			}
		}
	}
	return line, nil
}

// key is the last row's key as a JSON array.
func (c *collector) key() []byte {
	key := []byte{'['}
	for i, s := range c.spans {
		if i > 0 {
			key = append(key, ',')
		}
		key = append(key, c.line[s[0]:s[1]]...)
	}
	return append(key, ']')
}

// contentVersion is the version of a row without a rowversion column:
// SipHash-2-4 of its wire values under a key that is the same everywhere and
// for ever, because the cloud keeps the result. Where large values were not
// read, the number of their bytes stands for them. 0 stands for no version
// and is not used.
func contentVersion(values []byte, size int64, unread bool) uint64 {
	const k0, k1 = 0x546964656d61726b, 0x636f6e74656e7431 // "Tidemark", "content1"
	if !unread {
		size = 0
	}
	return max(siphash.Hash(k0, k1^uint64(size), values), 1)
}

// undo takes back the lines that were appended.
func (c *collector) undo() { c.out.Buf, c.out.N = c.out.Buf[:c.startLen], c.startN }
