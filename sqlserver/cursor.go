package sqlserver

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"tidemark/internal/wire"
)

// A Cursor says behind which row the next chunk begins; "" is before the
// first. It is text of at most wire.MaxCursor bytes, opaque to all but the
// reader's method that made it, and stays good over restarts.
type Cursor string

// The forms of a cursor: a letter for the order it belongs to, a number, and
// the key as the JSON array of its wire values.
//
//	k[7,"a"]       load, keys: behind this key
//	v2001[7,"a"]   indexed delta: behind this key among the rows of this version
//	v2001          indexed delta: behind all rows of this version
//	w2[7,"a"]      delta in key order: on level 2 behind this key
type position struct {
	form   byte
	number uint64
	key    []driver.Value // parameters, in key order
}

const (
	byKey     = 'k'
	byVersion = 'v'
	byWindow  = 'w'
)

func cursor(form byte, number uint64, key []byte) Cursor {
	b := append(make([]byte, 0, len(key)+24), form)
	if form != byKey {
		b = strconv.AppendUint(b, number, 10)
	}
	return Cursor(append(b, key...))
}

// key is the key in a cursor that has one.
func (c Cursor) key() []byte { return []byte(c[strings.IndexByte(string(c), '['):]) }

// parse reads a cursor of the wanted form. The cursor "" has no form.
func (t *Table) parse(c Cursor, form byte) (position, error) {
	if c == "" {
		return position{}, nil
	}
	bad := func(why any) (position, error) {
		return position{}, fmt.Errorf("%w %s: %v", ErrCursor, t, why)
	}
	if c[0] != form || len(c) > wire.MaxCursor {
		return bad("it is of another kind")
	}
	p := position{form: form}
	number, key := string(c[1:]), ""
	if at := strings.IndexByte(number, '['); at >= 0 {
		number, key = number[:at], number[at:]
	}
	if form != byKey {
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return bad("its number is none")
		}
		p.number = n
	} else if number != "" {
		return bad("it has a number")
	}
	if key == "" {
		if form != byVersion {
			return bad("it has no key")
		}
		return p, nil
	}
	if form == byWindow && (p.number == 0 || p.number > uint64(len(t.Key))) {
		return bad("it has no such level")
	}
	args, err := t.keyArgs([]byte(key))
	if err != nil {
		return bad(err)
	}
	p.key = args
	return p, nil
}

// keyArgs makes parameters of a key, given as a JSON array of wire values.
func (t *Table) keyArgs(key []byte) ([]driver.Value, error) {
	raws, err := wire.SplitRow(key, nil)
	if err != nil {
		return nil, err
	}
	if len(raws) != len(t.Key) {
		return nil, fmt.Errorf("a key of %d columns has %d values", len(t.Key), len(raws))
	}
	args := make([]driver.Value, len(raws))
	for i, k := range t.Key {
		if args[i], err = t.Columns[k.Index].arg(raws[i]); err != nil {
			return nil, fmt.Errorf("key column %s: %w", t.Columns[k.Index].Name, err)
		}
	}
	return args, nil
}
