package postgres

import "encoding/binary"

// Types of the arrays that carry rows (pg_type.dat in the server's source).
const (
	int8OID = 20
	int4OID = 23
	textOID = 25
)

// An array is a parameter in its binary form, which needs no escapes and is
// read in half the time: dimensions, whether there may be nulls, and type; size
// and lower bound of the one dimension; each element behind its length, -1 for
// null (array_recv in the server's source).
type array struct {
	bytes []byte
	n     int // elements taken
	ended int // length with them
}

const arrayHead = 20

func newArray(oid uint32) array {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 256), 1)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, oid)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 1)
	return array{bytes: b, ended: arrayHead}
}

func (a *array) int4(v int32) {
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, 4)
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, uint32(v))
}

func (a *array) int8(v int64) {
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, 8)
	a.bytes = binary.BigEndian.AppendUint64(a.bytes, uint64(v))
}

// text appends a wire value in the text that Postgres reads.
func (a *array) text(f form, raw []byte) error {
	if isNull(raw) {
		a.bytes = append(a.bytes, 0xff, 0xff, 0xff, 0xff)
		return nil
	}
	at := len(a.bytes)
	b, err := appendText(append(a.bytes, 0, 0, 0, 0), f, raw)
	if err != nil {
		return err
	}
	a.bytes = b
	binary.BigEndian.PutUint32(a.bytes[at:], uint32(len(a.bytes)-at-4))
	return nil
}

// take has the element that was appended last count, or drops it. It returns
// by how much the array has grown.
func (a *array) take(keep bool) int {
	if !keep {
		a.bytes = a.bytes[:a.ended]
		return 0
	}
	size := len(a.bytes) - a.ended
	a.n++
	a.ended = len(a.bytes)
	return size
}

// end returns the parameter.
func (a *array) end() []byte {
	if a.n == 0 {
		binary.BigEndian.PutUint32(a.bytes, 0) // no dimension
		return a.bytes[:12]
	}
	binary.BigEndian.PutUint32(a.bytes[12:], uint32(a.n))
	return a.bytes
}

// formats are those of so many parameters in text and arrays behind them.
func formats(texts, arrays int) []int16 {
	all := make([]int16, texts+arrays)
	for i := range arrays {
		all[texts+i] = 1
	}
	return all
}
