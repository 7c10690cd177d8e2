package sums

import (
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// Changes collects what a batch does to the rows of a table, and makes the
// log's entry of it. Keys are canonical. It is for one goroutine.
type Changes struct {
	deltas *summary.Deltas
	bucket *summary.Bucketer     // where nodes have anchors
	born   map[summary.Node]bool // nodes that may be new
	epoch  int64
}

// NewChanges returns an empty collection for a table's layout, the types of
// its key, its secret, and the number of the epoch that the batch writes.
func NewChanges(l summary.Layout, types []wire.Type, s summary.Secret, epoch int64) (*Changes, error) {
	d, err := summary.NewDeltas(l, types, s)
	if err != nil {
		return nil, err
	}
	c := &Changes{deltas: d, epoch: epoch}
	if !l.Counted(types) {
		c.born = map[summary.Node]bool{}
		c.bucket, err = summary.NewBucketer(l, types, s)
	}
	return c, err
}

// Insert takes a new row in.
func (c *Changes) Insert(key []byte, version uint64) error {
	if c.bucket != nil {
		leaf, err := c.bucket.Leaf(key)
		if err != nil {
			return err
		}
		c.born[leaf.Node] = true
	}
	return c.deltas.Add(summary.Row{Key: key, Epoch: c.epoch, Version: version})
}

// Update replaces a row, given with the version and epoch that it had.
func (c *Changes) Update(key []byte, version, was uint64, epoch int64) error {
	if err := c.deltas.Remove(summary.Row{Key: key, Epoch: epoch, Version: was}); err != nil {
		return err
	}
	return c.deltas.Add(summary.Row{Key: key, Epoch: c.epoch, Version: version})
}

// Delete takes a row out, given with the version and epoch that it had.
func (c *Changes) Delete(key []byte, was uint64, epoch int64) error {
	return c.deltas.Remove(summary.Row{Key: key, Epoch: epoch, Version: was})
}

// Entry is the log's entry, nil when nothing has changed.
//
// Anchors, which are longer than all else, are written for nodes that got new
// rows: those of others are known, because their rows were new once.
func (c *Changes) Entry() []byte {
	leaves := c.deltas.Leaves()
	if len(leaves) == 0 {
		return nil
	}
	anchors := map[summary.Node][]byte{}
	if len(c.born) > 0 {
		for _, n := range c.deltas.Nodes() {
			if c.born[n.Node] {
				anchors[n.Node] = n.Anchor
			}
		}
	}
	w := newEntryWriter(make([]byte, 0, 16+20*len(leaves)))
	for from := 0; from < len(leaves); {
		change := Change{Node: leaves[from].Node, Anchor: anchors[leaves[from].Node]}
		to := from
		for ; to < len(leaves) && leaves[to].Node == change.Node; to++ {
			change.Leaves = append(change.Leaves, LeafChange{leaves[to].Index, leaves[to].Cell})
		}
		w.add(change)
		from = to
	}
	return w.dst
}
