package postgres

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// layout is the order of a feed's fields.
type layout uint8

const (
	intoTarget layout = iota // customer, columns, row version, epoch
	intoStage                // line, row version, columns
	intoKeys                 // line, row version, epoch, key
)

// A feed is the rows of a RowSource in COPY's text format. It holds one row
// at a time, and the refused ones.
//
// Pgconn reads it in a goroutine of its own, which may still be at it when
// CopyFrom has returned with an error: stop ends that.
type feed struct {
	rows    cloud.RowSource
	columns []column // of the rows' values
	keyAt   []int    // positions of the key among them
	layout  layout
	prefix  []byte // intoTarget: the customer's field
	suffix  []byte // intoTarget: the epoch's field and the end of the line
	current int64  // intoKeys: the epoch that a row without one is of
	keys    *keyed // remembers what is fed; nil: nothing

	mu      sync.Mutex
	encoder encoder
	buf     []byte // encoded; sent up to off
	off     int
	line    int // of the row encoded last
	refused []refused
	err     error // of the source; io.EOF behind the last row
}

// A refused row is told in the answer, with whether the cloud has one of its
// key.
type refused struct {
	wire.Refusal
	key [][]byte // nil when the key is not known
}

// feedSize is how much is encoded before it is given away: what pgconn sends
// at once.
const feedSize = 64 << 10

// Read implements io.Reader.
func (f *feed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off == len(f.buf) {
		f.buf, f.off = f.buf[:0], 0
		for f.err == nil && len(f.buf) < feedSize {
			f.err = f.next()
		}
		if len(f.buf) == 0 {
			return 0, f.err
		}
	}
	n := copy(p, f.buf[f.off:])
	f.off += n
	return n, nil
}

// next encodes one row.
func (f *feed) next() error {
	row, err := f.rows.Next()
	if err != nil {
		return err
	}
	if row.Refusal != nil {
		f.refused = append(f.refused, keepRefused(*row.Refusal, row.Key))
		return nil
	}
	return f.encode(row)
}

// refuse refuses a row for what is in a column.
func (f *feed) refuse(row cloud.Row, c column, why error) {
	f.refused = append(f.refused, keepRefused(wire.Refusal{Row: row.Index, Column: c.name, Reason: why.Error()}, keyOf(row, f.keyAt)))
}

// keepRefused copies the key: the row's memory is used again.
func keepRefused(r wire.Refusal, key [][]byte) refused {
	kept := refused{Refusal: r}
	for _, raw := range key {
		kept.key = append(kept.key, slices.Clone(raw))
	}
	return kept
}

// keyOf picks the key's values of a row; keyAt is nil where the values are
// the key.
func keyOf(row cloud.Row, keyAt []int) [][]byte {
	if keyAt == nil {
		return row.Values
	}
	key := make([][]byte, len(keyAt))
	for i, at := range keyAt {
		key[i] = row.Values[at]
	}
	return key
}

func (f *feed) encode(row cloud.Row) error {
	b := f.buf
	switch f.layout {
	case intoTarget:
		b = append(b, f.prefix...)
	case intoStage, intoKeys:
		b = append(strconv.AppendInt(b, int64(row.Index), 10), '\t')
		b = append(strconv.AppendInt(b, int64(row.Version), 10), '\t')
	}
	epoch := row.Epoch
	if epoch == 0 {
		epoch = f.current
	}
	if f.layout == intoKeys {
		b = append(strconv.AppendInt(b, epoch, 10), '\t')
	}
	var err error
	for i := range f.columns {
		if b, err = f.encoder.field(b, f.columns[i].form, row.Values[i]); err != nil {
			if !errors.Is(err, errMoment) {
				return err
			}
			f.refuse(row, f.columns[i], err)
			return nil
		}
		b = append(b, '\t')
	}
	if f.layout == intoTarget {
		b = strconv.AppendInt(b, int64(row.Version), 10)
		b = append(b, f.suffix...)
	} else {
		b[len(b)-1] = '\n'
	}
	f.buf = b
	f.line = row.Index
	return f.keys.add(row, f.keyAt, epoch)
}

var errStopped = errors.New("the feed was stopped")

// stop ends the reading. It returns the error of the source, if that is what
// ended it before.
func (f *feed) stop() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.err; err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	f.err, f.buf, f.off = errStopped, nil, 0
	return nil
}
