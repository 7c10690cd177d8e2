package engine

import (
	"slices"
)

// build fills a new index from all versions of all rows.
func (t *table) build(ix *index) error {
	ix.tree = newTree()
	if ix.filtered {
		return nil
	}
	v := newRowView(t.lay)
	var err error
	t.indexes[0].tree.Scan(func(e entry) bool {
		if ix.unique && !e.row.deleted {
			v.set(e.row.data)
			var key []byte
			if key, err = t.appendCols(nil, ix, &v); err == nil {
				err = t.checkUnique(ix, string(key))
			}
		}
		for ver := &e.row.version; ver != nil && err == nil; ver = ver.prev {
			v.set(ver.data)
			var key []byte
			if key, err = t.appendIndexKey(nil, ix, e.row.id, &v); err == nil {
				ix.tree.Set(entry{string(key), e.row})
			}
		}
		return err == nil
	})
	return err
}

func (t *table) checkUnique(ix *index, prefix string) (err error) {
	end := after(prefix)
	ix.tree.Ascend(entry{key: prefix}, func(e entry) bool {
		if end != "" && e.key >= end {
			return false
		}
		if e.row.deleted {
			return true
		}
		err = errorf(1505, "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name '%s' and the index name '%s'. The duplicate key value is %s.", t.fullName(), ix.name, t.keyText(ix, e.row.data))
		return false
	})
	return err
}

// rebuild replaces all rows. Nobody else uses the table, so old versions are
// given up; a snapshot that would want them fails by t.changed.
func (t *table) rebuild(rows [][]byte, ids []uint64) error {
	t.db.stale = slices.DeleteFunc(t.db.stale, func(s staleRow) bool { return s.t == t })
	trees := make([]*index, len(t.indexes))
	for i, ix := range t.indexes {
		next := *ix
		next.tree = newTree()
		trees[i] = &next
	}
	old := t.indexes
	t.indexes = trees
	v := newRowView(t.lay)
	for n, data := range rows {
		r := &row{version: version{data: data, seq: t.db.commitSeq}, id: ids[n]}
		v.set(data)
		for _, ix := range trees {
			if ix.filtered {
				continue
			}
			if ix.unique {
				key, err := t.appendCols(nil, ix, &v)
				if err == nil {
					err = t.checkUnique(ix, string(key))
				}
				if err != nil {
					t.indexes = old
					return err
				}
			}
			key, err := t.appendIndexKey(nil, ix, r.id, &v)
			if err != nil {
				t.indexes = old
				return err
			}
			ix.tree.Load(entry{string(key), r})
		}
	}
	return nil
}

// rebuildFrom moves the rows of another base tree into new trees.
func (t *table) rebuildFrom(base *index) error {
	rows, ids := liveRows(base)
	return t.rebuild(rows, ids)
}

func liveRows(base *index) (rows [][]byte, ids []uint64) {
	base.tree.Scan(func(e entry) bool {
		// What is not committed does not exist yet.
		for v := &e.row.version; v != nil; v = v.prev {
			if v.tx == nil {
				if !v.deleted {
					rows, ids = append(rows, v.data), append(ids, e.row.id)
				}
				break
			}
		}
		return true
	})
	return rows, ids
}

// reshape changes the columns of a table; convert gives the new form of a row.
func (t *table) reshape(cols []*column, convert func(old *rowView) ([]byte, error)) error {
	rows, ids := liveRows(t.indexes[0])
	oldCols, view := t.cols, newRowView(t.lay)
	next := make([][]byte, len(rows))
	for i, data := range rows {
		view.set(data)
		var err error
		if next[i], err = convert(&view); err != nil {
			return err
		}
	}
	moved := map[int]int{}
	for i, c := range oldCols {
		moved[i] = slices.Index(cols, c)
	}
	renumbered := make([]*index, len(t.indexes))
	for i, ix := range t.indexes {
		n := *ix
		n.cols = slices.Clone(ix.cols)
		for j := range n.cols {
			n.cols[j].ord = moved[n.cols[j].ord]
		}
		n.include = slices.Clone(ix.include)
		for j := range n.include {
			n.include[j] = moved[n.include[j]]
		}
		renumbered[i] = &n
	}
	oldIndexes := t.indexes
	t.cols, t.indexes = cols, renumbered
	t.layoutChanged()
	if err := t.rebuild(next, ids); err != nil {
		t.cols, t.indexes = oldCols, oldIndexes
		t.layoutChanged()
		return err
	}
	return nil
}
