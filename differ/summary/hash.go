package summary

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"github.com/dchest/siphash"
)

// A Secret keys all hashes of one customer's table. The cloud makes it and
// hands it to the agent with the schema; nobody who writes rows learns it, so
// nobody can make rows whose sums collide.
type Secret [16]byte

// NewSecret returns a random one.
func NewSecret() (s Secret) {
	_, _ = rand.Read(s[:]) // never fails (package documentation)
	return s
}

// MarshalText writes 32 hexadecimal digits.
func (s Secret) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Secret) UnmarshalText(b []byte) error {
	if len(b) != 2*len(s) {
		return errors.New("a secret has 32 hexadecimal digits")
	}
	_, err := hex.Decode(s[:], b)
	return err
}

func (s Secret) keys() (k0, k1 uint64) {
	return binary.LittleEndian.Uint64(s[:8]), binary.LittleEndian.Uint64(s[8:])
}

// A Hasher makes the cells of rows. It is for one goroutine.
type Hasher struct {
	k0, k1 uint64
	buf    []byte
	weak   int
}

// hashHead is the length of what stands before the key: layout and epoch.
const hashHead = 16

// NewHasher returns the hasher of a layout's number.
func NewHasher(s Secret, layout uint64) *Hasher {
	h := &Hasher{buf: make([]byte, hashHead, 128)}
	h.k0, h.k1 = s.keys()
	binary.BigEndian.PutUint64(h.buf, layout)
	return h
}

// Row returns the cell of one row: count 1 and, as its sum, SipHash-2-4-128
// of layout number, epoch number (8 bytes each, big-endian), canonical key,
// and row version (8 bytes, big-endian). The epoch is that of the row: at the
// source always the layout's own; in the cloud the one in which a batch last
// touched the row.
func (h *Hasher) Row(key []byte, epoch int64, version uint64) Cell {
	b := append(h.buf[:hashHead], key...)
	b = binary.BigEndian.AppendUint64(b, version)
	binary.BigEndian.PutUint64(b[8:], uint64(epoch))
	h.buf = b
	low, high := siphash.Hash128(h.k0, h.k1, b)
	if h.weak > 0 {
		low, high = 0, high>>(64-h.weak)<<(64-h.weak)
	}
	return Cell{1, high, low}
}

// Weaken leaves the sums only so many bits, 1 to 64, at their high end, so
// that tests can see what happens when sums collide.
func (h *Hasher) Weaken(bits int) { h.weak = bits }

// A Salt keys the fingerprints of rows in one request.
type Salt uint64

// NewSalt returns a random one.
func NewSalt() Salt {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (package documentation)
	return Salt(binary.LittleEndian.Uint64(b[:]))
}

// Fingerprint shortens the cell of one row to width bytes, 1 to 8: the low
// bytes of SipHash-2-4 of its sum under the salt. Two rows whose fingerprints
// are the same by accident have different ones under the next salt.
func (s Salt) Fingerprint(row Cell, width int) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], row.Hi)
	binary.BigEndian.PutUint64(b[8:], row.Lo)
	f := siphash.Hash(uint64(s), ^uint64(s), b[:])
	if width < 8 {
		f &= 1<<(8*width) - 1
	}
	return f
}
