package differ

import (
	"slices"

	"tidemark/differ/summary"
)

// rowBuffer holds rows of the source whose leaves may differ, in few pieces
// of memory.
type rowBuffer struct {
	leaves   []summary.Leaf
	versions []uint64
	ends     []int
	lines    []byte // manifest lines, one behind the other
}

// rowBytes is what a row takes beside its line.
const rowBytes = 32

func (b *rowBuffer) add(s *sourceRow) {
	b.leaves = append(b.leaves, s.leaf)
	b.versions = append(b.versions, s.version)
	b.lines = append(b.lines, s.line...)
	b.ends = append(b.ends, len(b.lines))
}

func (b *rowBuffer) len() int  { return len(b.ends) }
func (b *rowBuffer) size() int { return len(b.lines) + rowBytes*len(b.ends) }

func (b *rowBuffer) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

func (b *rowBuffer) line(i int) []byte { return b.lines[b.start(i):b.ends[i]] }

// truncate keeps the first n rows.
func (b *rowBuffer) truncate(n int) {
	b.lines = b.lines[:b.start(n)]
	b.leaves, b.versions, b.ends = b.leaves[:n], b.versions[:n], b.ends[:n]
}

func (b *rowBuffer) reset() { b.truncate(0) }

// drop forgets the first n rows.
func (b *rowBuffer) drop(n int) {
	from := b.start(n)
	b.lines = b.lines[:copy(b.lines, b.lines[from:])]
	b.leaves = slices.Delete(b.leaves, 0, n)
	b.versions = slices.Delete(b.versions, 0, n)
	b.ends = slices.Delete(b.ends, 0, n)
	for i := range b.ends {
		b.ends[i] -= from
	}
}

// A leafRows is one differing leaf with the source's rows in it.
type leafRows struct {
	leaf summary.Leaf
	cell summary.Cell
	rows []int // in the buffer
}

// keep forgets the rows of all other leaves.
func (b *rowBuffer) keep(leaves map[summary.Leaf]summary.Cell) {
	n, start, end := 0, 0, 0
	for i, leaf := range b.leaves {
		line := b.lines[start:b.ends[i]]
		start = b.ends[i]
		if _, ok := leaves[leaf]; !ok {
			continue
		}
		end += copy(b.lines[end:], line)
		b.leaves[n], b.versions[n], b.ends[n] = leaf, b.versions[i], end
		n++
	}
	b.lines = b.lines[:end]
	b.leaves, b.versions, b.ends = b.leaves[:n], b.versions[:n], b.ends[:n]
}

// pick returns the leaves given, in the order of Leaf.Compare, with their
// rows.
func (b *rowBuffer) pick(leaves map[summary.Leaf]summary.Cell) []leafRows {
	picked := make([]leafRows, 0, len(leaves))
	for leaf, cell := range leaves {
		picked = append(picked, leafRows{leaf: leaf, cell: cell})
	}
	slices.SortFunc(picked, func(a, b leafRows) int { return a.leaf.Compare(b.leaf) })
	at := make(map[summary.Leaf]int, len(picked))
	for i, p := range picked {
		at[p.leaf] = i
	}
	for i := range b.len() {
		if n, ok := at[b.leaves[i]]; ok {
			picked[n].rows = append(picked[n].rows, i)
		}
	}
	return picked
}
