package summary

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

func typesOf(t testing.TB, names ...string) []wire.Type {
	t.Helper()
	types := make([]wire.Type, len(names))
	for i, n := range names {
		typ, err := wire.ParseType(n)
		if err != nil {
			t.Fatal(err)
		}
		types[i] = typ
	}
	return types
}

// keyOf is the canonical key of wire values.
func keyOf(t interface{ Fatal(...any) }, types []wire.Type, raws ...string) []byte {
	b := make([][]byte, len(raws))
	for i, r := range raws {
		b[i] = []byte(r)
	}
	key, err := canon.Key(nil, types, b)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func guidText(b [16]byte) string {
	return fmt.Sprintf(`"%x-%x-%x-%x-%x"`, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// sequential is the nth GUID of NEWSEQUENTIALID on one machine: the first
// group counts up in its stored, little-endian form.
func sequential(n uint32) string {
	return fmt.Sprintf(`"%02x%02x%02x%02x-5d5c-e511-80c3-000c29b2bb50"`, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}

func quoted(n int64) string { return strconv.Quote(strconv.FormatInt(n, 10)) }

func random(rnd *rand.Rand) (b [16]byte) {
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// drawLayout draws a layout that fits the types, and may be a bad choice.
func drawLayout(t *rapid.T, types []wire.Type) Layout {
	l := Layout{Number: rapid.Uint64Range(1, 9).Draw(t, "number"), Epoch: rapid.Int64Range(0, 9).Draw(t, "epoch")}
	var columns []int
	for i, typ := range types {
		if codeBits(typ) > 0 {
			columns = append(columns, i)
		}
	}
	if len(columns) == 0 || rapid.IntRange(0, 3).Draw(t, "hashed") == 0 {
		l.Kind, l.Bits = Hashed, rapid.IntRange(0, maxBits).Draw(t, "bits")
		return l
	}
	l.Kind, l.Column = Ordered, rapid.SampledFrom(columns).Draw(t, "column")
	l.Shift = rapid.IntRange(0, codeBits(types[l.Column])).Draw(t, "shift")
	return l
}
