package summary

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tidemark/internal/wire"
)

// The vectors are the contract between agents and clouds of all versions.
func TestGoldenRows(t *testing.T) {
	secret := Secret{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for _, tt := range []struct {
		types  []string
		raws   []string
		layout Layout
		leaf   string
		sum    string
	}{
		{[]string{"int"}, []string{"-1"}, Layout{Number: 1, Kind: Ordered, Shift: 7, Epoch: 1}, "281474976710655/255", "26f04e689359108d295bddd71421df1d"},
		{[]string{"bigint"}, []string{`"1000000"`}, Layout{Number: 2, Kind: Ordered, Shift: 7, Epoch: 3}, "281474976710686/132", "932c4a4cd0bd9683d57508f13ba49d2a"},
		{[]string{"int", "int"}, []string{"1", "300"}, Layout{Number: 2, Kind: Ordered, Column: 1, Shift: 4}, "2024450443260565354/18", "504b5e64109697485d889287fb6c95b0"},
		{[]string{"date"}, []string{`"2026-11-23"`}, Layout{Number: 1, Kind: Ordered, Shift: 40}, "2271/72", "8b4d58ed179651cd3a3b3ebdff8fe333"},
		{[]string{"uniqueidentifier"}, []string{`"0f8fad5b-d9cb-469f-a165-70867728950e"`}, Layout{Number: 1, Kind: Ordered, Shift: 112}, "112/134", "891bc2ad76e671a6ab064526b08c4565"},
		{[]string{"uniqueidentifier"}, []string{`"0f8fad5b-d9cb-469f-a165-70867728950e"`}, Layout{Number: 1, Kind: Ordered, Shift: 7}, "5913933159545564519/30", "891bc2ad76e671a6ab064526b08c4565"},
		{[]string{"nvarchar(5)"}, []string{`"abc"`}, Layout{Number: 1, Kind: Hashed, Bits: 16}, "200/249", "8c4c87e7f5a01cae0007097f00d41035"},
	} {
		types := typesOf(t, tt.types...)
		key := keyOf(t, types, tt.raws...)
		b, err := NewBucketer(tt.layout, types, secret)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := b.Leaf(key)
		if err != nil {
			t.Fatal(err)
		}
		row := NewHasher(secret, tt.layout.Number).Row(key, tt.layout.Epoch, 2001)
		if got := fmt.Sprintf("%d/%d", leaf.Node, leaf.Index); got != tt.leaf || row.Sum() != tt.sum {
			t.Errorf("%v %v, layout %+v: %q, %q", tt.types, tt.raws, tt.layout, got, row.Sum())
		}
	}
	row := Cell{1, 0x0011223344556677, 0x8899aabbccddeeff}
	if got := Salt(7).Fingerprint(row, 4); got != 0xc7d88c52 {
		t.Errorf("fingerprint %#x", got)
	}
}

// A message's bytes are the contract too.
func TestGoldenMessages(t *testing.T) {
	tree := &Tree{
		Layout: Layout{Number: 3, Kind: Ordered, Shift: 7, Epoch: 2, Rows: 256}, Leaves: 3, Width: 4,
		Root:  Cell{385, 0, 0x0102030405060708},
		Nodes: []NodeCell{{1 << 48, Cell{256, 0, 0x05060700}}, {1<<48 + 1, Cell{129, 0, 0x08}}},
	}
	leaves := &LeavesAnswer{Layout: 3, Width: 2, Nodes: []NodeLeaves{{Node: 1 << 48, Cell: Cell{130, 1, 0x20304}}}}
	leaves.Nodes[0].Cells[0], leaves.Nodes[0].Cells[255] = Cell{128, 0, 0x0300}, Cell{2, 0, 0x0004}
	question := CompareQuestion{Layout: 3, Salt: 7, Width: 4, Leaves: []LeafPrints{{Leaf{1 << 48, 255}, []uint64{0xc7d88c52, 1}}}}
	for _, tt := range []struct {
		name  string
		write func(*bytes.Buffer) error
		want  string
	}{
		{"tree", func(b *bytes.Buffer) error { return WriteTree(b, tree) },
			`{"v":1,"layout":{"number":3,"kind":"ordered","shift":7,"epoch":2,"rows":256},"root":{"rows":385,"sum":"00000000000000000102030405060708"},"leaves":3,"width":4,"nodes":2}` + "\n" +
				"\x80\x80\x80\x80\x80\x80\x40\x01" + "\x80\x04\xfd\x01" + "\x05\x06\x07\x00\x00\x00\x00\x08"},
		{"question for leaves", func(b *bytes.Buffer) error {
			return WriteLeavesQuestion(b, LeavesQuestion{Layout: 3, Width: 2, Nodes: []Node{1 << 48, 1<<48 + 5}})
		}, `{"v":1,"layout":3,"width":2,"nodes":2}` + "\n\x80\x80\x80\x80\x80\x80\x40\x05"},
		{"leaves", func(b *bytes.Buffer) error { return WriteLeaves(b, leaves) },
			`{"v":1,"layout":3,"width":2,"nodes":1}` + "\n\x80\x80\x80\x80\x80\x80\x40" + "\x82\x01" +
				"\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x02\x03\x04" +
				"\x01" + strings.Repeat("\x00", 30) + "\x80" + "\x80\x02\xfb\x01" + "\x03\x00\x00\x04"},
		{"question for differences", func(b *bytes.Buffer) error { return WriteCompareQuestion(b, question) },
			`{"v":1,"layout":3,"salt":"0000000000000007","width":4,"leaves":1}` + "\n\x80\x80\x80\x80\x80\x80\x40\xff\x02\xc7\xd8\x8c\x52\x00\x00\x00\x01"},
		{"differences", func(b *bytes.Buffer) error {
			w := NewDifferenceWriter(b, question)
			d := LeafDifference{Leaf: Leaf{1 << 48, 255}, Cell: Cell{2, 0, 1}, Unmatched: []int{1}, Rows: wire.Lines{Buf: []byte("[\"7@1\",5]\n"), N: 1}}
			if err := w.Leaf(d); err != nil {
				return err
			}
			return w.Close()
		}, `{"v":1,"layout":3,"leaves":1}` + "\n" +
			`{"node":"281474976710656","leaf":255,"cell":{"rows":2,"sum":"00000000000000000000000000000001"},"unmatched":[1],"rows":1}` + "\n" +
			`["7@1",5]` + "\n"},
	} {
		var b bytes.Buffer
		if err := tt.write(&b); err != nil || b.String() != tt.want {
			t.Errorf("%s: %v\n got %q\nwant %q", tt.name, err, b.String(), tt.want)
		}
	}
	if got := (&Tree{Layout: tree.Layout, Root: tree.Root, Width: 4}).ETag(); got != `"3-2-4-385:00000000000000000102030405060708"` {
		t.Errorf("ETag %s", got)
	}
}
