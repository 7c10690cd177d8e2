package tds

import "encoding/binary"

// A cursor reads the fields of a request. Reading past its end gives zeros and
// sets short, which the caller checks once.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.short, c.b = true, nil
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) uint(n int) uint64 {
	var v [8]byte
	copy(v[:], c.take(n))
	return binary.LittleEndian.Uint64(v[:])
}

func (c *cursor) u8() byte    { return byte(c.uint(1)) }
func (c *cursor) u16() uint16 { return uint16(c.uint(2)) }
func (c *cursor) u32() uint32 { return uint32(c.uint(4)) }
func (c *cursor) u64() uint64 { return c.uint(8) }

// bVarchar reads a string with a length of one byte, in characters.
func (c *cursor) bVarchar() string { return decodeUTF16(c.take(2 * int(c.u8()))) }

// rest takes everything that is left.
func (c *cursor) rest() []byte { return c.take(len(c.b)) }
