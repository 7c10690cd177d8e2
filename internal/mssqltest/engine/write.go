package engine

import (
	"encoding/binary"

	"tidemark/internal/mssqltest/tds"
)

// The functions here change rows and trees. The latch of the database is held.

// A conflict is what stops a write: another transaction that must end first,
// or a row with the same unique key.
type conflict struct {
	busy *txn
	dup  *index
	key  string
}

// insert adds a row, or gives a deleted one of the same clustered key a new
// version. It changes nothing where it returns a conflict.
func (t *table) insert(tx *txn, data []byte) (*conflict, error) {
	v := newRowView(t.lay)
	v.set(data)
	id := t.nextID + 1
	keys := make([]string, len(t.indexes))
	var buf []byte
	for i, ix := range t.indexes {
		if ix.filtered {
			continue
		}
		var err error
		if ix.unique {
			if buf, err = t.appendCols(buf[:0], ix, &v); err != nil {
				return nil, err
			}
			c, err := t.occupied(tx, ix, string(buf))
			if c != nil || err != nil {
				return c, err
			}
		}
		if buf, err = t.appendIndexKey(buf[:0], ix, id, &v); err != nil {
			return nil, err
		}
		keys[i] = string(buf)
	}
	var r *row
	if t.indexes[0].unique {
		if e, ok := t.indexes[0].tree.Get(entry{key: keys[0]}); ok {
			r = e.row
			r.push(version{data: data, tx: tx})
		}
	}
	if r == nil {
		r = &row{version: version{data: data, tx: tx}, id: id}
		t.nextID = id
	}
	for i, ix := range t.indexes {
		if !ix.filtered {
			ix.tree.Set(entry{keys[i], r})
		}
	}
	t.live++
	tx.writes = append(tx.writes, write{t, r, 1})
	return nil, nil
}

// occupied looks for a row that holds a unique key now or may hold it,
// depending on how another transaction ends.
func (t *table) occupied(tx *txn, ix *index, prefix string) (c *conflict, err error) {
	end := after(prefix)
	ix.tree.Ascend(entry{key: prefix}, func(e entry) bool {
		if end != "" && e.key >= end {
			return false
		}
		switch {
		case e.row.tx != nil && e.row.tx != tx:
			c = &conflict{busy: e.row.tx}
		case e.row.deleted:
			return true
		case e.row.prev != nil:
			var cur string
			if cur, err = t.colsOf(ix, e.row.data); err == nil && cur != prefix {
				return true
			}
			fallthrough
		default:
			c = &conflict{dup: ix, key: t.keyText(ix, e.row.data)}
		}
		return false
	})
	return c, err
}

func (t *table) colsOf(ix *index, data []byte) (string, error) {
	v := newRowView(t.lay)
	v.set(data)
	b, err := t.appendCols(nil, ix, &v)
	return string(b), err
}

// keyText is the key of a row as error messages show it.
func (t *table) keyText(ix *index, data []byte) string {
	v := newRowView(t.lay)
	v.set(data)
	s := "("
	for i, c := range ix.cols {
		if i > 0 {
			s += ", "
		}
		x, err := v.value(c.ord)
		switch {
		case err != nil:
			s += "?"
		case x.null:
			s += "<NULL>"
		default:
			style := 0
			if classOf(t.cols[c.ord].typ.Kind) == clBin {
				style = 1
			}
			x, _ = toStr(x, t.cols[c.ord].typ, tds.Type{Kind: tds.NVarChar, Len: tds.MaxLen}, style)
			s += x.s
		}
	}
	return s + ")"
}

// update gives a row a new version whose unique keys are those of the old.
func (t *table) update(tx *txn, r *row, data []byte) error {
	v := newRowView(t.lay)
	v.set(data)
	var buf []byte
	for _, ix := range t.indexes[1:] {
		if ix.filtered {
			continue
		}
		var err error
		if buf, err = t.appendIndexKey(buf[:0], ix, r.id, &v); err != nil {
			return err
		}
		ix.tree.Set(entry{string(buf), r})
	}
	r.push(version{data: data, tx: tx})
	tx.writes = append(tx.writes, write{t, r, 0})
	return nil
}

func (t *table) delete(tx *txn, r *row) {
	r.push(version{data: r.data, tx: tx, deleted: true})
	t.live--
	tx.writes = append(tx.writes, write{t, r, -1})
}

// unindex removes the entries of a version that is gone, except those that
// a version still there has in common with it.
func (t *table) unindex(r *row, data []byte) {
	for _, ix := range t.indexes[1:] {
		if ix.filtered {
			continue
		}
		key := t.mustKey(ix, r, data)
		shared := false
		for v := &r.version; v != nil && !shared; v = v.prev {
			shared = t.mustKey(ix, r, v.data) == key
		}
		if !shared {
			ix.tree.Delete(entry{key: key})
		}
	}
}

// remove takes a row out of all trees.
func (t *table) remove(r *row) {
	for _, ix := range t.indexes {
		if ix.filtered {
			continue
		}
		// A row can be asked to go twice, and another may have its key then.
		key := t.mustKey(ix, r, r.data)
		if e, ok := ix.tree.Get(entry{key: key}); ok && e.row == r {
			ix.tree.Delete(e)
		}
	}
}

// mustKey computes the key of stored data, which was readable when stored.
func (t *table) mustKey(ix *index, r *row, data []byte) string {
	v := newRowView(t.lay)
	v.set(data)
	b, err := t.appendIndexKey(nil, ix, r.id, &v)
	if err != nil {
		panic("engine: stored row unreadable: " + err.Error())
	}
	return string(b)
}

// stampRowVersion writes a row version into an encoded row.
func (t *table) stampRowVersion(data []byte, rv uint64) {
	v := newRowView(t.lay)
	v.set(data)
	binary.BigEndian.PutUint64(v.bytes(t.rv)[2:], rv)
}
