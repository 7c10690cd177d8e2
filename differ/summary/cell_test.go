package summary

import (
	"encoding/json"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func drawCell(t *rapid.T, label string) Cell {
	return Cell{rapid.Int64Range(0, 1<<40).Draw(t, label), rapid.Uint64().Draw(t, label), rapid.Uint64().Draw(t, label)}
}

func (c Cell) big() *big.Int {
	n := new(big.Int).SetUint64(c.Hi)
	return n.Lsh(n, 64).Add(n, new(big.Int).SetUint64(c.Lo))
}

// Cells add and subtract as integers modulo 2^128, and cut ones modulo 2^8w.
func TestCellArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawCell(t, "a"), drawCell(t, "b")
		width := rapid.IntRange(1, MaxWidth).Draw(t, "width")
		mod := new(big.Int).Lsh(big.NewInt(1), uint(8*width))
		sum, difference := a, a
		sum.Add(b)
		difference.Sub(b)
		want := new(big.Int).Add(a.big(), b.big())
		if sum.Cut(width).big().Cmp(want.Mod(want, mod)) != 0 || sum.Count != a.Count+b.Count {
			t.Fatalf("%v + %v = %v, cut to %d %x", a, b, sum, width, want)
		}
		want.Sub(a.big(), b.big())
		if difference.Cut(width).big().Cmp(want.Mod(want, mod)) != 0 || difference.Count != a.Count-b.Count {
			t.Fatalf("%v - %v = %v", a, b, difference)
		}
		if difference.Add(b); difference != a {
			t.Fatalf("%v - %v + the same = %v", a, b, difference)
		}
	})
}

func TestCellForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawCell(t, "a")
		var fromBinary, fromJSON Cell
		b, err := a.AppendBinary(nil)
		if err != nil || len(b) != CellSize || fromBinary.UnmarshalBinary(b) != nil || fromBinary != a {
			t.Fatalf("%v came back from binary as %v", a, fromBinary)
		}
		text, err := json.Marshal(a)
		if err != nil || json.Unmarshal(text, &fromJSON) != nil || fromJSON != a {
			t.Fatalf("%v came back from %s as %v", a, text, fromJSON)
		}
		if fromBinary.UnmarshalBinary(b[:rapid.IntRange(0, CellSize-1).Draw(t, "cut")]) == nil {
			t.Fatal("a cell that is cut off was read")
		}
	})
	for _, text := range []string{`{}`, `{"rows":1,"sum":"00"}`, `{"rows":"1","sum":"00000000000000000000000000000000"}`, `7`} {
		var c Cell
		if json.Unmarshal([]byte(text), &c) == nil {
			t.Errorf("%s was read as %v", text, c)
		}
	}
	var s Secret
	if text, _ := NewSecret().MarshalText(); s.UnmarshalText(text) != nil || s == (Secret{}) {
		t.Errorf("secret %s came back as %x", text, s)
	}
	if s.UnmarshalText([]byte("abc")) == nil {
		t.Error("a short secret was read")
	}
}
