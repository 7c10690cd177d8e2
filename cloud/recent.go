package cloud

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"tidemark/internal/wire"
)

// Recent is the part of a Store that remembers which batches came last.
type Recent interface {
	// Recent returns the last batches of each of a customer's tables, at most
	// KeptBatches a table, in no order. It reads one row a table.
	Recent(ctx context.Context, customer string) ([]Taken, error)
}

// KeptBatches is how many batches of a table are remembered.
const KeptBatches = 16

// A Taken is what is remembered of a batch that was applied: never of one that
// was refused as a whole, or that was answered again.
type Taken struct {
	Table   string
	At      time.Time // by the server's clock, to the microsecond
	Seq     uint64
	Kind    wire.BatchKind
	Bytes   int    // of its body, as it was sent
	Request string // ID of the request, cut to its first 33 bytes

	Inserted, Updated, Unchanged, Deleted, Guarded, Refused int
}

// Rows is how many lines the batch had.
func (t Taken) Rows() int {
	return t.Inserted + t.Updated + t.Unchanged + t.Deleted + t.Guarded + t.Refused
}

// Taken is what is remembered of a batch.
func (b Batch) Taken(a wire.Answer) Taken {
	return Taken{Table: b.Table, At: b.Now, Seq: b.Header.Seq, Kind: b.Header.Kind, Bytes: b.Bytes, Request: b.Request,
		Inserted: a.Inserted, Updated: a.Updated, Unchanged: a.Unchanged, Deleted: a.Deleted, Guarded: a.Guarded, Refused: len(a.Refused)}
}

// The form in which a store keeps batches: all have the same size, so that a
// database can put one in the place of the oldest without reading them. Zeros
// are no batch.
const (
	takenForm    = 1
	takenRequest = 33
	takenSize    = 47 + takenRequest
	// RecentBytes is the most that the batches of a table take.
	RecentBytes = KeptBatches * takenSize
)

var takenKinds = []wire.BatchKind{wire.Load, wire.Delta, wire.Repair, wire.Delete}

// Encode returns the form in which a store keeps t.
func (t Taken) Encode() []byte {
	b := make([]byte, takenSize)
	b[0] = takenForm
	for i, k := range takenKinds {
		if k == t.Kind {
			b[1] = byte(i + 1)
		}
	}
	binary.BigEndian.PutUint64(b[2:], uint64(t.At.UnixMicro()))
	binary.BigEndian.PutUint64(b[10:], t.Seq)
	for i, n := range []int{t.Bytes, t.Inserted, t.Updated, t.Unchanged, t.Deleted, t.Guarded, t.Refused} {
		binary.BigEndian.PutUint32(b[18+4*i:], uint32(min(max(n, 0), math.MaxUint32)))
	}
	b[46] = byte(copy(b[47:47+takenRequest], t.Request))
	return b
}

// DecodeTaken reads what a store keeps of a table. What this program does not
// know, of a newer one, is left out.
func DecodeTaken(table string, b []byte) (all []Taken) {
	for ; len(b) >= takenSize; b = b[takenSize:] {
		if b[0] != takenForm {
			continue
		}
		t := Taken{Table: table, At: time.UnixMicro(int64(binary.BigEndian.Uint64(b[2:]))).UTC(), Seq: binary.BigEndian.Uint64(b[10:])}
		if k := int(b[1]); k > 0 && k <= len(takenKinds) {
			t.Kind = takenKinds[k-1]
		}
		for i, n := range []*int{&t.Bytes, &t.Inserted, &t.Updated, &t.Unchanged, &t.Deleted, &t.Guarded, &t.Refused} {
			*n = int(binary.BigEndian.Uint32(b[18+4*i:]))
		}
		t.Request = string(b[47 : 47+min(int(b[46]), takenRequest)])
		all = append(all, t)
	}
	return all
}
