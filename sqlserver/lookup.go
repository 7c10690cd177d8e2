package sqlserver

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"time"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// Found answers a Lookup.
type Found struct {
	// Asked is how many of the keys were looked for, from the first. It is
	// less than all where the rows would not fit a chunk; ask for the rest.
	Asked    int
	There    []bool // for each key asked: a row has it, byte for byte
	Lines    []int  // for each line appended: the index of its key
	Oversize []Oversize
	Elapsed  time.Duration
}

// Keys are looked up in statements of these sizes, the last one filled up
// with its last key, so that there are two plans and not one for each number.
var lookupSizes = [...]int{8, 64}

// Lookup reads rows again by their keys, given as JSON arrays of wire values.
// A row whose key is equal for the collation alone ('abc' for 'ABC') is not
// the one asked for. Rows over the row limit are there, in Oversize and not
// in out.
func (r *Reader) Lookup(ctx context.Context, keys [][]byte, out *wire.Lines) (Found, error) {
	return r.lookup(ctx, "look up rows of "+r.table.String(), r.rows, false, keys, out)
}

func (r *Reader) lookup(ctx context.Context, op string, p *plan, keysOnly bool, keys [][]byte, out *wire.Lines) (Found, error) {
	if err := r.refused(); err != nil {
		return Found{}, named(op, err)
	}
	f := Found{There: make([]bool, 0, len(keys))}
	startN, startLen := out.N, len(out.Buf)
	for f.Asked < len(keys) {
		some := keys[f.Asked:min(len(keys), f.Asked+r.lookups.nextKeys())]
		full, err := r.lookupSome(ctx, p, keysOnly, some, out, &f, Limits{
			ChunkRows: r.limits.ChunkRows - (out.N - startN), ChunkBytes: r.limits.ChunkBytes - (len(out.Buf) - startLen),
		}.or(r.limits))
		if err != nil {
			if f.Asked > 0 && ctx.Err() == nil {
				break // what is known is good; the rest is asked for again
			}
			return Found{}, named(op, err)
		}
		if full || f.Elapsed > r.limits.QueryTime {
			break
		}
	}
	return f, nil
}

// nextKeys is how many keys to look up in one statement.
func (p *pace) nextKeys() int {
	if n := p.next(); n < lookupSizes[1] {
		return lookupSizes[0]
	}
	return lookupSizes[1]
}

// lookupSome looks up as many keys as one statement takes. full tells that
// the chunk has no room for more.
func (r *Reader) lookupSome(ctx context.Context, p *plan, keysOnly bool, keys [][]byte, out *wire.Lines, f *Found, limits Limits) (full bool, err error) {
	t := r.table
	size := lookupSizes[0]
	if len(keys) > size {
		size = lookupSizes[1]
	}
	types := t.KeyTypes()
	wanted := make([]string, len(keys))
	args := make([]driver.NamedValue, 0, size*len(t.Key)+1)
	if len(p.large) > 0 {
		args = append(args, param("limit", r.limits.RowBytes))
	}
	var values []driver.Value
	for i := range size {
		if i < len(keys) {
			if wanted[i], err = canonical(types, keys[i]); err != nil {
				return false, err
			}
			if values, err = t.keyArgs(keys[i]); err != nil {
				return false, err
			}
		}
		for k, v := range values {
			args = append(args, param(fmt.Sprintf("k%d_%d", i, k), v))
		}
	}
	text := r.text(fmt.Sprintf("lookup %d %v", size, keysOnly), func() string { return p.lookup(size) })
	there := make([]bool, len(keys))
	lines := len(f.Lines)
	inOrder, last := true, 0
	c := newCollector(p, out, limits)
	c.lookup, c.keysOnly = true, keysOnly
	c.each = func() error {
		inOrder, last = inOrder && c.number >= last, c.number
		if c.number < 0 || c.number >= len(keys) || there[c.number] {
			return errSkip
		}
		got, err := canonical(types, c.key())
		if err != nil {
			return err
		}
		if got != wanted[c.number] {
			return errSkip
		}
		there[c.number] = true
		if !c.over {
			f.Lines = append(f.Lines, f.Asked+c.number)
		}
		return nil
	}
	took, err := r.run(ctx, text, args, &r.lookups, c)
	if err != nil {
		f.Lines = f.Lines[:lines]
		return false, err
	}
	f.Elapsed += took
	if c.cut {
		if !inOrder && len(keys) > 1 {
			// Which keys were not reached is not known: one key, then.
			c.undo()
			f.Lines = f.Lines[:lines]
			_, err := r.lookupSome(ctx, p, keysOnly, keys[:1], out, f, limits)
			return true, err
		}
		there = there[:last+1]
	}
	f.There = append(f.There, there...)
	f.Asked += len(there)
	f.Oversize = append(f.Oversize, c.oversize...)
	return c.cut, nil
}

// canonical is a key's canonical bytes, as a string to compare.
func canonical(types []wire.Type, key []byte) (string, error) {
	raws, err := wire.SplitRow(key, nil)
	if err != nil {
		return "", err
	}
	b, err := canon.Key(nil, types, raws)
	return string(b), err
}

// parseVersion reads the row version at the head of a line.
func parseVersion(raw []byte) (uint64, error) {
	s, err := wire.Unquote(nil, raw)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(s), 10, 64)
}
