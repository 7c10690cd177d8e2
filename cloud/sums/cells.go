package sums

import (
	"encoding/binary"

	"tidemark/differ/summary"
)

// Cells are the cells of a node's leaves, the zero Cell for empty ones.
type Cells [summary.LeavesPerNode]summary.Cell

// ParseCells reads the blob of a node's leaves; an empty one has none.
func ParseCells(blob []byte, c *Cells) error {
	*c = Cells{}
	if len(blob) == 0 {
		return nil
	}
	r := open(blob)
	there := r.bytes(summary.LeavesPerNode / 8)
	for i := range c {
		if r.err == nil && there[i/8]&(1<<(i%8)) != 0 {
			count := r.varint()
			c[i] = r.sum(count)
		}
	}
	return r.end()
}

// Append appends the blob.
func (c *Cells) Append(dst []byte) []byte {
	var there [summary.LeavesPerNode / 8]byte
	for i := range c {
		if c[i] != (summary.Cell{}) {
			there[i/8] |= 1 << (i % 8)
		}
	}
	dst = append(append(dst, form), there[:]...)
	for i := range c {
		if c[i] != (summary.Cell{}) {
			dst = binary.AppendVarint(dst, c[i].Count)
			dst = appendSum(dst, c[i])
		}
	}
	return dst
}

// Leaves is how many of them are not empty.
func (c *Cells) Leaves() int {
	n := 0
	for i := range c {
		if c[i] != (summary.Cell{}) {
			n++
		}
	}
	return n
}

// Sum is the cell of the node.
func (c *Cells) Sum() (sum summary.Cell) {
	for i := range c {
		sum.Add(c[i])
	}
	return sum
}

// Differ is how many leaves c and d differ in.
func (c *Cells) Differ(d *Cells) int {
	n := 0
	for i := range c {
		if c[i] != d[i] {
			n++
		}
	}
	return n
}
