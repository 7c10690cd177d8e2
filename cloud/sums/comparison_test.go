package sums_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"tidemark/cloud/ledger"
	"tidemark/cloud/sums"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// The answer to a comparison names what one side has and the other lacks, and
// its reader finds that it adds up.
func TestComparison(t *testing.T) {
	layout := summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 3, Epoch: 2}
	bucket, err := summary.NewBucketer(layout, ints, secret)
	if err != nil {
		t.Fatal(err)
	}
	hash := summary.NewHasher(secret, 1)
	q := summary.CompareQuestion{Layout: 1, Salt: 9, Width: 4}
	for first := 0; first < 24; first += 8 { // the agent has 0 to 23, in version 1 of epoch 2
		leaf, err := bucket.Leaf(key(t, ints, first))
		if err != nil {
			t.Fatal(err)
		}
		l := summary.LeafPrints{Leaf: leaf}
		for i := range 8 {
			l.Prints = append(l.Prints, q.Salt.Fingerprint(hash.Row(key(t, ints, first+i), 2, 1), q.Width))
		}
		q.Leaves = append(q.Leaves, l)
	}
	c, err := sums.NewComparison(q, layout, ints, secret, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		id      int
		version uint64
		epoch   int64
	}{
		{100, 1, 2}, {0, 1, 2}, {1, 1, 2}, {2, 1, 1}, {3, 1, 2}, {4, 9, 2}, {5, 1, 2}, {6, 1, 2}, {7, 1, 2}, // 2 is of an epoch before, 4 newer
		{16, 1, 2}, {17, 1, 2}, {18, 1, 2}, {19, 1, 2}, {20, 1, 2}, {21, 1, 2}, {22, 1, 2}, {23, 1, 2},
	} {
		if err := c.Row([][]byte{fmt.Append(nil, r.id)}, r.version, r.epoch); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	w := summary.NewDifferenceWriter(&b, q)
	for i := range q.Leaves {
		if err := w.Leaf(c.Leaf(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var got string
	err = summary.ReadDifferences(&b, q, func(i int, d *summary.LeafDifference) error {
		got += fmt.Sprintf("%d: %d rows, lacks %v, has %q\n", i, d.Cell.Count, d.Unmatched, d.Rows.Buf)
		return nil
	})
	want := "0: 8 rows, lacks [2 4], has \"[\\\"1@1\\\",2]\\n[\\\"9\\\",4]\\n\"\n" +
		"1: 0 rows, lacks [0 1 2 3 4 5 6 7], has \"\"\n" + "2: 8 rows, lacks [], has \"\"\n"
	if err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

func TestMark(t *testing.T) {
	at := func(seq uint64, loaded bool) ledger.State {
		return ledger.State{Version: wire.Version{Seq: seq, Loaded: loaded}}
	}
	delta, start, load := wire.Header{Kind: wire.Delta}, wire.Header{Kind: wire.Load, Start: true}, wire.Header{Kind: wire.Load}
	for name, test := range map[string]struct {
		mark          sums.Mark
		before, after ledger.State
		h             wire.Header
		entry         []byte
		want          sums.Mark
	}{
		"none":                     {sums.Mark{}, at(3, true), at(4, true), delta, nil, sums.Mark{}},
		"goes on":                  {sums.Mark{2, 3, 100}, at(3, true), at(4, true), delta, make([]byte, 36), sums.Mark{2, 4, 200}},
		"a load that goes on":      {sums.Mark{2, 3, 100}, at(3, true), at(4, true), load, nil, sums.Mark{2, 4, 100}},
		"a load that starts":       {sums.Mark{2, 3, 100}, at(3, true), at(4, false), start, nil, sums.Mark{}},
		"a whole load":             {sums.Mark{2, 3, 100}, at(3, true), at(4, true), start, nil, sums.Mark{}},
		"written without":          {sums.Mark{2, 2, 100}, at(3, true), at(4, true), delta, nil, sums.Mark{}},
		"a load that is under way": {sums.Mark{2, 3, 100}, at(3, false), at(4, false), load, nil, sums.Mark{}},
	} {
		if got := test.mark.Next(test.before, test.after, test.h, test.entry); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSurvives(t *testing.T) {
	s := wire.Schema{Columns: []wire.Column{{Name: "a", Type: wire.Type{Kind: wire.Int}}, {Name: "b", Type: wire.Type{Kind: wire.Int}}}, Key: []string{"a"}}
	more, other, wider := s, s, s
	more.Columns = append(more.Columns[:2:2], wire.Column{Name: "c", Type: wire.Type{Kind: wire.Int}})
	other.Key = []string{"b"}
	wider.Columns = []wire.Column{{Name: "a", Type: wire.Type{Kind: wire.BigInt}}, s.Columns[1]}
	for _, test := range []struct {
		after  wire.Schema
		reload bool
		want   bool
	}{{s, false, true}, {more, false, true}, {more, true, false}, {other, false, false}, {wider, false, false}} {
		if got := sums.Survives(s, test.after, test.reload); got != test.want {
			t.Errorf("%+v, reload %t: %t", test.after, test.reload, got)
		}
	}
}

// A table that is larger than was thought needs more passes; it is not held
// as a whole.
func TestBuilderIsBounded(t *testing.T) {
	b, err := sums.NewBuilder(summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 0}, ints, secret, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	sums.Limit(b, 1000)
	for i := range 2000 {
		if err = b.Add(summary.Row{Key: key(t, ints, i), Epoch: 1}); err != nil {
			break
		}
	}
	if !errors.Is(err, sums.ErrParts) {
		t.Errorf("the error is %v", err)
	}
}
