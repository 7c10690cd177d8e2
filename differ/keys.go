package differ

import (
	"bytes"
	"fmt"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// keyReader takes manifest lines apart. What it returns is valid until its
// next call.
type keyReader struct {
	types []wire.Type
	line  []byte
	raws  [][]byte
	canon []byte
	text  []byte
}

// read returns the first element of a manifest line without its quotes (row
// version or stamp) and the canonical bytes of its key.
func (k *keyReader) read(line []byte) (stamp, key []byte, err error) {
	k.line = line
	if k.raws, err = wire.SplitRow(line, k.raws); err != nil {
		return nil, nil, err
	}
	if len(k.raws) != len(k.types)+1 || len(k.raws[0]) < 3 || k.raws[0][0] != '"' {
		return nil, nil, fmt.Errorf("manifest line has %d values, not a stamp and %d key columns", len(k.raws), len(k.types))
	}
	if k.canon, err = canon.Key(k.canon[:0], k.types, k.raws[1:]); err != nil {
		return nil, nil, err
	}
	return k.raws[0][1 : len(k.raws[0])-1], k.canon, nil
}

// json returns the key of the line read last as a JSON array.
func (k *keyReader) json() []byte {
	k.text = appendKey(k.text[:0], k.line)
	return k.text
}

// appendKey appends the key of a manifest line as a JSON array.
func appendKey(dst, line []byte) []byte {
	behind := bytes.IndexByte(line, ',') + 1 // a stamp has no comma
	return append(append(dst, '['), line[behind:]...)
}

// each calls fn with every line of l.
func each(l wire.Lines, fn func(i int, line []byte) error) error {
	rest := l.Buf
	for i := range l.N {
		line, more, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok {
			return fmt.Errorf("%d lines announced, %d there", l.N, i)
		}
		if err := fn(i, line); err != nil {
			return err
		}
		rest = more
	}
	return nil
}

// texts is a list of short texts in one piece of memory, each with a byte of
// its owner's in front.
type texts struct {
	buf  []byte
	ends []int
}

func (t *texts) add(mark byte, b []byte) {
	t.buf = append(append(t.buf, mark), b...)
	t.ends = append(t.ends, len(t.buf))
}

func (t *texts) len() int { return len(t.ends) }

func (t *texts) at(i int) []byte {
	start := 0
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.buf[start:t.ends[i]]
}

func (t *texts) reset() { t.buf, t.ends = t.buf[:0], t.ends[:0] }
