package engine

import (
	"fmt"
)

// fillChunk is how many rows Fill commits at once.
const fillChunk = 5000

// Fill adds n committed rows to a table, fast. Values are for all columns but
// the rowversion column, in order, as Go values (see tds.AppendValue; other
// integer types, strings for numbers, times and GUIDs do as well). Rows come in
// fastest in key order. Where the database gives equal row versions, all rows
// get the same one.
func (db *Database) Fill(name string, n int, values func(i int) []any) error {
	full, ok := nameOf(name)
	if !ok {
		return fmt.Errorf("engine: %q is no table name", name)
	}
	t, err := db.findTable(full)
	if err != nil {
		return err
	}
	if t == nil {
		return errInvalidObject(nameText(full))
	}
	f := filler{db: db, t: t, view: newRowView(t.lay)}
	size := fillChunk
	if db.opts.EqualRowVersions != DistinctRowVersions {
		size = n // nobody may see some of the rows of one row version
	}
	for i := 0; i < n; i += size {
		if err := f.chunk(i, min(i+size, n), values); err != nil {
			return fmt.Errorf("engine: filling %s: %w", name, err)
		}
	}
	return nil
}

// A filler packs rows into large blocks, which keeps the heap small and the
// garbage collector idle.
type filler struct {
	db    *Database
	t     *table
	view  rowView
	block []byte
	keys  []byte
	rows  []row
	tx    txn
}

func (f *filler) chunk(from, to int, values func(int) []any) error {
	encoded := make([][]byte, 0, to-from)
	for i := from; i < to; i++ {
		row, err := f.encode(values(i))
		if err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
		encoded = append(encoded, row)
	}
	f.db.mu.Lock()
	defer f.db.mu.Unlock()
	f.db.commitSeq++
	for i, data := range encoded {
		if f.t.rv >= 0 {
			f.t.stampRowVersion(data, f.db.nextRowVersion(&f.tx))
		}
		if err := f.add(data); err != nil {
			return fmt.Errorf("row %d: %w", from+i, err)
		}
	}
	return nil
}

func (f *filler) encode(vals []any) ([]byte, error) {
	t := f.t
	if cap(f.block)-len(f.block) < 1<<14 {
		f.block = make([]byte, 0, 1<<20)
	}
	at := len(f.block)
	next := 0
	for i, col := range t.cols {
		v := rowVersionValue(0)
		if i != t.rv {
			if next >= len(vals) {
				return nil, fmt.Errorf("%d values for %d columns", len(vals), len(t.cols))
			}
			var err error
			if v, err = fromGo(col.typ, vals[next]); err != nil {
				return nil, fmt.Errorf("column %s: %w", col.name, err)
			}
			if v, err = t.fit(f.db, col, v, col.typ, "INSERT"); err != nil {
				return nil, err
			}
			if classOf(col.typ.Kind) == clStr {
				v.s = fitString(v.s, col.typ)
			}
			next++
		}
		var err error
		if f.block, err = encode(f.block, col.typ, v); err != nil {
			return nil, fmt.Errorf("column %s: %w", col.name, err)
		}
	}
	return f.block[at:len(f.block):len(f.block)], nil
}

// add puts one row into all trees. The latch is held.
func (f *filler) add(data []byte) error {
	t := f.t
	f.view.set(data)
	if len(f.rows) == cap(f.rows) {
		f.rows = make([]row, 0, 1024)
	}
	t.nextID++
	f.rows = append(f.rows, row{version: version{data: data, seq: f.db.commitSeq}, id: t.nextID})
	r := &f.rows[len(f.rows)-1]
	keys := make([]string, len(t.indexes))
	for i, ix := range t.indexes {
		if ix.filtered {
			continue
		}
		var err error
		if f.keys, err = t.appendIndexKey(f.keys[:0], ix, r.id, &f.view); err != nil {
			return err
		}
		keys[i] = string(f.keys)
		if last, ok := ix.tree.Max(); !ix.unique || !ok || last.key < keys[i] && i == 0 {
			continue
		}
		if f.keys, err = t.appendCols(f.keys[:0], ix, &f.view); err != nil {
			return err
		}
		c, err := t.occupied(&f.tx, ix, string(f.keys))
		switch {
		case err != nil:
			return err
		case c != nil && c.busy != nil:
			return fmt.Errorf("a key is in use by an open transaction")
		case c != nil:
			return t.duplicate(c)
		}
	}
	if e, ok := t.indexes[0].tree.Get(entry{key: keys[0]}); ok {
		return fmt.Errorf("a deleted row of the key %s is still needed by a snapshot", t.keyText(t.indexes[0], e.row.data))
	}
	for i, ix := range t.indexes {
		if !ix.filtered {
			ix.tree.Load(entry{keys[i], r})
		}
	}
	t.live++
	if t.ident >= 0 {
		if v, err := f.view.value(t.ident); err == nil && v.x == nil {
			t.lastIdent, t.identUsed = max(t.lastIdent, v.i), true
		}
	}
	return nil
}
