package summary

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/dchest/siphash"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// A Node names LeavesPerNode leaves. Where Layout.Counted, nodes are numbers
// in the order of keys (hashed: of the hashes of keys); else they are hashes of
// their anchors, in no order. Stores keep the 64 bits as they are.
type Node uint64

// A Leaf is one of a node's leaves.
type Leaf struct {
	Node  Node
	Index uint8
}

// Compare orders leaves by node and index: the one order in which stores lock
// them and messages list them.
func (l Leaf) Compare(m Leaf) int {
	switch {
	case l.Node < m.Node || l.Node == m.Node && l.Index < m.Index:
		return -1
	case l == m:
		return 0
	}
	return 1
}

// A Bucketer finds the leaves of keys. It is for one goroutine.
type Bucketer struct {
	layout  Layout
	types   []wire.Type
	k0, k1  uint64
	counted bool
	buf     []byte // hashed: layout number and key
	anchor  []byte // of the key before, when nodes are hashes
	node    Node   // its node
}

// NewBucketer returns the bucketer of a layout for a key of these types, or
// an error that is ErrLayout.
func NewBucketer(l Layout, types []wire.Type, s Secret) (*Bucketer, error) {
	if err := l.Check(types); err != nil {
		return nil, err
	}
	b := &Bucketer{layout: l, types: types, counted: l.Counted(types)}
	b.k0, b.k1 = s.keys()
	b.k1 ^= bucketDomain
	b.buf = binary.BigEndian.AppendUint64(nil, l.Number)
	return b, nil
}

// bucketDomain keeps the hashes that find a leaf apart from those that are
// summed up in it.
const bucketDomain = 0x6c656166 // "leaf"

// Leaf returns the leaf of a canonical key.
func (b *Bucketer) Leaf(key []byte) (Leaf, error) {
	if b.layout.Kind == Hashed {
		b.buf = append(b.buf[:8], key...)
		n := siphash.Hash(b.k0, b.k1, b.buf) >> (64 - b.layout.Bits)
		return Leaf{Node(n >> nodeBits), uint8(n)}, nil
	}
	prefix, code, err := b.split(key)
	if err != nil {
		return Leaf{}, err
	}
	n := code.shr(b.layout.Shift)
	top := n.shr(nodeBits)
	if b.counted {
		return Leaf{Node(top.Lo), uint8(n.Lo)}, nil
	}
	if end := len(prefix); len(b.anchor) != end+16 || !bytes.Equal(b.anchor[:end], prefix) ||
		binary.BigEndian.Uint64(b.anchor[end:]) != top.Hi || binary.BigEndian.Uint64(b.anchor[end+8:]) != top.Lo {
		b.anchor = appendAnchor(b.anchor[:0], prefix, top)
		b.node = Node(siphash.Hash(b.k0, b.k1, b.anchor))
	}
	return Leaf{b.node, uint8(n.Lo)}, nil
}

// split takes a key apart for an ordered layout.
func (b *Bucketer) split(key []byte) (prefix []byte, code Code, err error) {
	rest := key
	for range b.layout.Column {
		if _, _, rest, err = canon.Cut(rest); err != nil {
			return nil, Code{}, err
		}
	}
	tag, value, _, err := canon.Cut(rest)
	if err != nil {
		return nil, Code{}, err
	}
	t := b.types[b.layout.Column]
	if tag != canon.TagOf(t.Kind) {
		return nil, Code{}, fmt.Errorf("key column %d is no %s", b.layout.Column+1, t)
	}
	code, err = codeOf(tag, value)
	return key[:len(key)-len(rest)], code, err
}

// AppendAnchor appends the name in full of a canonical key's node: the
// canonical bytes of the columns before the layout's, and 16 bytes of the
// order code's head. A store whose nodes are not Counted keeps it with the
// node, because Range needs it. A hashed layout has none.
func (b *Bucketer) AppendAnchor(dst, key []byte) ([]byte, error) {
	if b.layout.Kind == Hashed {
		return dst, nil
	}
	prefix, code, err := b.split(key)
	if err != nil {
		return dst, err
	}
	return appendAnchor(dst, prefix, code.shr(b.layout.Shift).shr(nodeBits)), nil
}

func appendAnchor(dst, prefix []byte, top Code) []byte {
	dst = append(dst, prefix...)
	dst = binary.BigEndian.AppendUint64(dst, top.Hi)
	return binary.BigEndian.AppendUint64(dst, top.Lo)
}
