package summary

import (
	"encoding/hex"
	"io"
)

// LeafPrints are the fingerprints of the rows that one side has in a leaf, in
// an order of its own.
type LeafPrints struct {
	Leaf   Leaf
	Prints []uint64
}

// A CompareQuestion is the agent's list of the rows in differing leaves, which
// are in the order of Leaf.Compare. A row is Width bytes, whatever its key:
// Salt.Fingerprint of its cell. The salt is another one in every question, so
// that an accident does not last.
type CompareQuestion struct {
	Layout uint64
	Salt   Salt
	Width  int // 1 to 8
	Leaves []LeafPrints
}

type compareHead struct {
	Protocol int    `json:"v"`
	Layout   uint64 `json:"layout"`
	Salt     string `json:"salt,omitempty"` // 16 hexadecimal digits
	Width    int    `json:"width,omitempty"`
	Leaves   int    `json:"leaves"`
}

func (h compareHead) check() error {
	switch {
	case h.Protocol != Protocol:
		return otherProtocol(h.Protocol)
	case h.Leaves < 1 || h.Leaves > MaxLeavesAsked:
		return malformed("%d leaves, not 1 to %d", h.Leaves, MaxLeavesAsked)
	}
	return nil
}

// WriteCompareQuestion writes q.
func WriteCompareQuestion(w io.Writer, q CompareQuestion) error {
	out := newWriter(w)
	salt := make([]byte, 0, 8)
	for shift := 56; shift >= 0; shift -= 8 {
		salt = append(salt, byte(q.Salt>>shift))
	}
	out.line(compareHead{Protocol, q.Layout, hex.EncodeToString(salt), q.Width, len(q.Leaves)})
	id := uint64(0)
	for _, l := range q.Leaves {
		out.uvarint(uint64(l.Leaf.Node) - id)
		id = uint64(l.Leaf.Node)
		out.bytes([]byte{l.Leaf.Index})
		out.uvarint(uint64(len(l.Prints)))
		for _, p := range l.Prints {
			out.sum(Cell{Lo: p}, q.Width)
		}
	}
	return out.flush()
}

// ReadCompareQuestion reads what WriteCompareQuestion wrote.
func ReadCompareQuestion(r io.Reader) (CompareQuestion, error) {
	in := newReader(r)
	var head compareHead
	in.line(maxHead, &head)
	if in.err == nil {
		in.fail(head.check())
	}
	salt, err := hex.DecodeString(head.Salt)
	if in.err == nil && (err != nil || len(salt) != 8 || head.Width < 1 || head.Width > 8) {
		in.fail(malformed("salt %.20q of width %d", head.Salt, head.Width))
	}
	if in.err != nil {
		return CompareQuestion{}, in.err
	}
	q := CompareQuestion{Layout: head.Layout, Width: head.Width}
	for _, b := range salt {
		q.Salt = q.Salt<<8 | Salt(b)
	}
	id, rows := uint64(0), uint64(0)
	for i := 0; i < head.Leaves && in.err == nil; i++ {
		id += in.uvarint()
		l := LeafPrints{Leaf: Leaf{Node(id), in.byte()}}
		if in.err == nil && i > 0 && q.Leaves[i-1].Leaf.Compare(l.Leaf) >= 0 {
			in.fail(malformed("leaves are not in order"))
		}
		n := in.uvarint()
		if rows += n; in.err == nil && (n > MaxRowsCompared || rows > MaxRowsCompared) {
			in.fail(malformed("over %d rows", MaxRowsCompared))
		}
		for ; n > 0 && in.err == nil; n-- {
			l.Prints = append(l.Prints, in.sum(q.Width).Lo)
		}
		q.Leaves = append(q.Leaves, l)
	}
	return q, in.end()
}
