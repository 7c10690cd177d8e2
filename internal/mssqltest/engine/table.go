package engine

import (
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tidwall/btree"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// A column of a table or catalog view.
type column struct {
	id       int // column_id, never used again
	name     string
	typ      tds.Type
	info     *typeInfo  // as declared: numeric is not decimal in sys.types
	alias    *aliasType // nil for a system type
	nullable bool
	identity bool
	coll     collation
	collName string // empty for types without one
	deflt    tsql.Expr
}

// An aliasType is made by CREATE TYPE ... FROM.
type aliasType struct {
	id       int // user_type_id
	schema   *schema
	name     string
	typ      tds.Type
	info     *typeInfo
	nullable bool
}

type schema struct {
	id   int
	name string
}

type table struct {
	db      *Database
	id      int // object_id
	schema  *schema
	name    string
	cols    []*column
	lay     *layout
	nextCol int
	indexes []*index // [0] holds the rows: the clustered index or the heap

	rv        int // ordinal of the rowversion column, -1 for none
	ident     int // ordinal of the identity column, -1 for none
	seed, inc int64
	lastIdent int64
	identUsed bool
	nextID    uint64 // of rows in heaps and non-unique clustered indexes
	live      int64  // rows, uncommitted changes included
	changed   uint64 // commit sequence number of the last change of its definition
	dropped   bool
	created   time.Time

	counters tableCounters
	locks    tableLocks
}

type tableCounters struct {
	examined, returned, seeks, scans atomic.Int64
}

// An index orders rows by a key. Entries stay until no version that anyone
// may still see has their key.
type index struct {
	id        int // index_id: 0 heap, 1 clustered
	name      string
	unique    bool
	primary   bool
	constr    bool // made by a constraint, with an object_id of its own
	constrID  int
	clustered bool
	filtered  bool // neither maintained nor used
	cols      []indexCol
	include   []int
	tree      *btree.BTreeG[entry]
}

type indexCol struct {
	ord  int
	desc bool
}

type entry struct {
	key string
	row *row
}

func newTree() *btree.BTreeG[entry] {
	return btree.NewBTreeGOptions(func(a, b entry) bool { return a.key < b.key }, btree.Options{NoLocks: true, Degree: 64})
}

func (t *table) layoutChanged() {
	l := &layout{}
	t.rv, t.ident = -1, -1
	for i, c := range t.cols {
		l.add(c.typ)
		if c.typ.Kind == tds.RowVersion {
			t.rv = i
		}
		if c.identity {
			t.ident = i
		}
	}
	t.lay = l
}

func (t *table) column(name string) int {
	for i, c := range t.cols {
		if strings.EqualFold(c.name, name) {
			return i
		}
	}
	return -1
}

func (t *table) fullName() string { return t.schema.name + "." + t.name }

func (t *table) index(name string) *index {
	for _, ix := range t.indexes {
		if ix.name != "" && strings.EqualFold(ix.name, name) {
			return ix
		}
	}
	return nil
}

// appendCols appends the key of the index's own columns of a row.
func (t *table) appendCols(dst []byte, ix *index, r *rowView) ([]byte, error) {
	for _, c := range ix.cols {
		col := t.cols[c.ord]
		v, err := decode(col.typ, r.bytes(c.ord))
		if err != nil {
			return dst, err
		}
		at := len(dst)
		dst = appendKey(dst, col.typ, v, col.coll)
		if c.desc {
			invert(dst[at:])
		}
	}
	return dst, nil
}

// appendIndexKey appends the key of a row's entry: the columns, then in
// secondary indexes the clustered columns, then the row's number where those
// are not unique.
func (t *table) appendIndexKey(dst []byte, ix *index, id uint64, r *rowView) ([]byte, error) {
	dst, err := t.appendCols(dst, ix, r)
	if err != nil {
		return dst, err
	}
	base := t.indexes[0]
	if ix != base {
		if dst, err = t.appendCols(dst, base, r); err != nil {
			return dst, err
		}
	}
	if !base.unique {
		for shift := 56; shift >= 0; shift -= 8 {
			dst = append(dst, byte(id>>shift))
		}
	}
	return dst, nil
}

// order is the sequence of columns by which the index is in order.
func (t *table) order(ix *index) []indexCol {
	out := append([]indexCol{}, ix.cols...)
	if base := t.indexes[0]; ix != base {
		out = append(out, base.cols...)
	}
	return out
}

// layout describes rows that are stored as concatenated encoded values.
type layout struct {
	types  []tds.Type
	frames []framing
}

func (l *layout) add(t tds.Type) {
	l.types = append(l.types, t)
	l.frames = append(l.frames, frameOf(t))
}

// A rowView looks into one stored row, finding columns as they are asked for.
type rowView struct {
	lay    *layout
	data   []byte
	offs   []int32 // start of every column, known up to offs[n]
	n      int
	absent bool // the missing side of an outer join
}

func newRowView(l *layout) rowView {
	return rowView{lay: l, offs: make([]int32, len(l.types)+1)}
}

func (r *rowView) set(data []byte) {
	r.data, r.n, r.absent = data, 0, false
}

func (r *rowView) bytes(i int) []byte {
	for r.n <= i {
		at := r.offs[r.n]
		size := encodedLen(r.lay.frames[r.n], r.lay.types[r.n], r.data[at:])
		if int64(at)+int64(size) > math.MaxInt32 {
			panic("engine: row above 2 GiB")
		}
		r.n++
		r.offs[r.n] = at + int32(size)
	}
	return r.data[r.offs[i]:r.offs[i+1]]
}

func (r *rowView) value(i int) (value, error) {
	if r.absent {
		return nullValue, nil
	}
	return decode(r.lay.types[i], r.bytes(i))
}
