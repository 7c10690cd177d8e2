package sums

import (
	"slices"

	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

// A Mark is what stands beside a table's version about its summary. The zero
// Mark says that there is none.
type Mark struct {
	Number uint64 `json:"number,omitempty"` // of the layout that batches write the log for
	Seq    uint64 `json:"seq,omitempty"`    // of the batch that last did
	Logged int64  `json:"logged,omitempty"` // Weight of the log since the layout began
}

// Kept tells whether the log has all batches of a table in this state.
func (m Mark) Kept(s ledger.State) bool {
	return m.Number != 0 && m.Seq == s.Version.Seq && s.Version.Loaded
}

// Keeps tells whether a batch has to write an entry: not while a load is under
// way, after which all is summed up at once.
func (m Mark) Keeps(before ledger.State, h wire.Header) bool {
	return m.Kept(before) && !(h.Kind == wire.Load && h.Start)
}

// Next is the mark after a batch, which wrote the entry if it had to.
func (m Mark) Next(before, after ledger.State, h wire.Header, entry []byte) Mark {
	if !m.Keeps(before, h) {
		return Mark{}
	}
	return Mark{m.Number, after.Version.Seq, m.Logged + Weight(entry)}
}

// Survives tells whether a summary made under one schema is one under the
// next: the key is the same, and the rows count as they are.
func Survives(before, after wire.Schema, reload bool) bool {
	return !reload && slices.Equal(before.Key, after.Key) && slices.Equal(before.KeyTypes(), after.KeyTypes())
}
