package summary

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/bits"
	"strconv"
)

// A Cell sums up a set of rows: how many there are, and the sum of their
// hashes modulo 2^128. The zero Cell is that of no rows. As the difference of
// two sets a cell may count below zero.
type Cell struct {
	Count  int64
	Hi, Lo uint64 // halves of the sum
}

// Add makes c the cell of both sets.
func (c *Cell) Add(d Cell) {
	var carry uint64
	c.Count += d.Count
	c.Lo, carry = bits.Add64(c.Lo, d.Lo, 0)
	c.Hi, _ = bits.Add64(c.Hi, d.Hi, carry)
}

// Sub takes the rows of d out of c.
func (c *Cell) Sub(d Cell) {
	var borrow uint64
	c.Count -= d.Count
	c.Lo, borrow = bits.Sub64(c.Lo, d.Lo, 0)
	c.Hi, _ = bits.Sub64(c.Hi, d.Hi, borrow)
}

// MaxWidth is how many bytes a whole sum has.
const MaxWidth = 16

// Cut keeps the low bytes of the sum. Cut cells add up modulo 2^(8*width) as
// whole ones do modulo 2^128.
func (c Cell) Cut(width int) Cell {
	switch {
	case width <= 0:
		c.Hi, c.Lo = 0, 0
	case width < 8:
		c.Hi, c.Lo = 0, c.Lo&(1<<(8*width)-1)
	case width < MaxWidth:
		c.Hi &= 1<<(8*(width-8)) - 1
	}
	return c
}

// CellSize is the length of a cell's binary form.
const CellSize = 24

// AppendBinary appends count, high and low half of the sum, big-endian: the
// form for a store. It never fails.
func (c Cell) AppendBinary(dst []byte) ([]byte, error) {
	dst = binary.BigEndian.AppendUint64(dst, uint64(c.Count))
	dst = binary.BigEndian.AppendUint64(dst, c.Hi)
	return binary.BigEndian.AppendUint64(dst, c.Lo), nil
}

// UnmarshalBinary reads what AppendBinary wrote.
func (c *Cell) UnmarshalBinary(b []byte) error {
	if len(b) != CellSize {
		return errors.New("a cell has " + strconv.Itoa(CellSize) + " bytes, not " + strconv.Itoa(len(b)))
	}
	c.Count = int64(binary.BigEndian.Uint64(b))
	c.Hi, c.Lo = binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])
	return nil
}

// Sum is the sum as 32 hexadecimal digits.
func (c Cell) Sum() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], c.Hi)
	binary.BigEndian.PutUint64(b[8:], c.Lo)
	return hex.EncodeToString(b[:])
}

// String is for logs, people and the ETag of a root: "rows:sum".
func (c Cell) String() string { return strconv.FormatInt(c.Count, 10) + ":" + c.Sum() }

type cellText struct {
	Rows int64  `json:"rows"`
	Sum  string `json:"sum"`
}

// MarshalJSON writes {"rows":7,"sum":"32 hexadecimal digits"}.
func (c Cell) MarshalJSON() ([]byte, error) { return json.Marshal(cellText{c.Count, c.Sum()}) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Cell) UnmarshalJSON(b []byte) error {
	var t cellText
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	sum, err := hex.DecodeString(t.Sum)
	if err != nil || len(sum) != MaxWidth {
		return errors.New("the sum of a cell has 32 hexadecimal digits")
	}
	c.Count, c.Hi, c.Lo = t.Rows, binary.BigEndian.Uint64(sum), binary.BigEndian.Uint64(sum[8:])
	return nil
}
