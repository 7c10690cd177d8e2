package summary

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// drawTree draws a tree that adds up.
func drawTree(t *rapid.T) *Tree {
	tree := &Tree{Layout: Layout{Number: 1, Kind: Hashed, Bits: 9}, Width: rapid.IntRange(0, MaxWidth).Draw(t, "width")}
	ids := rapid.SliceOfNDistinct(rapid.Uint64(), 0, 20, rapid.ID).Draw(t, "nodes")
	slices.Sort(ids)
	for _, id := range ids {
		c := drawCell(t, "node")
		c.Count++
		tree.Root.Add(c)
		tree.Nodes = append(tree.Nodes, NodeCell{Node(id), c.Cut(tree.Width)})
		tree.Leaves++
	}
	if tree.Width == 0 {
		tree.Nodes = nil
	}
	return tree
}

func drawLeaves(t *rapid.T) (LeavesQuestion, *LeavesAnswer) {
	a := &LeavesAnswer{Layout: 7, Width: rapid.IntRange(1, MaxWidth).Draw(t, "width")}
	q := LeavesQuestion{Layout: 7, Width: a.Width}
	ids := rapid.SliceOfNDistinct(rapid.Uint64(), 1, 4, rapid.ID).Draw(t, "nodes")
	slices.Sort(ids)
	for _, id := range ids {
		n := NodeLeaves{Node: Node(id)}
		for _, i := range rapid.SliceOfDistinct(rapid.IntRange(0, 255), rapid.ID).Draw(t, "leaves") {
			c := drawCell(t, "leaf")
			c.Count++
			n.Cell.Add(c)
			n.Cells[i] = c.Cut(a.Width)
		}
		q.Nodes, a.Nodes = append(q.Nodes, n.Node), append(a.Nodes, n)
	}
	return q, a
}

func drawQuestion(t *rapid.T) CompareQuestion {
	q := CompareQuestion{Layout: 7, Salt: Salt(rapid.Uint64().Draw(t, "salt")), Width: rapid.IntRange(1, 8).Draw(t, "width")}
	leaves := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Leaf {
		return Leaf{Node(rapid.Uint64Range(0, 3).Draw(t, "node")), rapid.Byte().Draw(t, "index")}
	}), 1, 6, rapid.ID).Draw(t, "leaves")
	slices.SortFunc(leaves, Leaf.Compare)
	for _, l := range leaves {
		p := LeafPrints{Leaf: l}
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			p.Prints = append(p.Prints, q.Salt.Fingerprint(drawCell(t, "row"), q.Width))
		}
		q.Leaves = append(q.Leaves, p)
	}
	return q
}

func drawDifferences(t *rapid.T, q CompareQuestion) []LeafDifference {
	var all []LeafDifference
	for _, l := range q.Leaves {
		d := LeafDifference{Leaf: l.Leaf, Cell: drawCell(t, "cell")}
		for i := range l.Prints {
			if rapid.Bool().Draw(t, "unmatched") {
				d.Unmatched = append(d.Unmatched, i)
			}
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "listed") {
			d.Rows.Buf = fmt.Appendf(d.Rows.Buf, "[\"7\",%d]\n", i)
			d.Rows.N++
		}
		d.Cell.Count = int64(len(l.Prints) - len(d.Unmatched) + d.Rows.N)
		all = append(all, d)
	}
	return all
}

func encode(t interface{ Fatal(...any) }, write func(io.Writer) error) []byte {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeDifferences(t interface{ Fatal(...any) }, q CompareQuestion, all []LeafDifference) []byte {
	return encode(t, func(w io.Writer) error {
		d := NewDifferenceWriter(w, q)
		for _, l := range all {
			if err := d.Leaf(l); err != nil {
				return err
			}
		}
		return d.Close()
	})
}

func readDifferences(r io.Reader, q CompareQuestion) (all []LeafDifference, err error) {
	err = ReadDifferences(r, q, func(_ int, d *LeafDifference) error {
		c := *d
		c.Unmatched, c.Rows.Buf = slices.Clone(d.Unmatched), slices.Clone(d.Rows.Buf)
		all = append(all, c)
		return nil
	})
	return all, err
}

// Messages read back as they were written. Cut off at any byte, or with more
// behind, they are an error.
func TestMessagesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := drawTree(t)
		q, leaves := drawLeaves(t)
		question := drawQuestion(t)
		differences := drawDifferences(t, question)
		for _, m := range []struct {
			name string
			body []byte
			want any
			read func(io.Reader) (any, error)
		}{
			{"tree", encode(t, func(w io.Writer) error { return WriteTree(w, tree) }), tree,
				func(r io.Reader) (any, error) { return ReadTree(r) }},
			{"question for leaves", encode(t, func(w io.Writer) error { return WriteLeavesQuestion(w, q) }), q,
				func(r io.Reader) (any, error) { return ReadLeavesQuestion(r) }},
			{"leaves", encode(t, func(w io.Writer) error { return WriteLeaves(w, leaves) }), leaves,
				func(r io.Reader) (any, error) { return ReadLeaves(r, q) }},
			{"question for differences", encode(t, func(w io.Writer) error { return WriteCompareQuestion(w, question) }), question,
				func(r io.Reader) (any, error) { return ReadCompareQuestion(r) }},
			{"differences", encodeDifferences(t, question, differences), differences,
				func(r io.Reader) (any, error) { return readDifferences(r, question) }},
		} {
			got, err := m.read(bytes.NewReader(m.body))
			if diff := cmp.Diff(m.want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Fatalf("%s: %v (-written +read):\n%s", m.name, err, diff)
			}
			cut := rapid.IntRange(0, len(m.body)-1).Draw(t, "cut")
			if _, err := m.read(bytes.NewReader(m.body[:cut])); !errors.Is(err, ErrMessage) {
				t.Fatalf("%s of %d bytes cut at %d: %v", m.name, len(m.body), cut, err)
			}
			if _, err := m.read(bytes.NewReader(append(slices.Clone(m.body), 'x'))); !errors.Is(err, ErrMessage) {
				t.Fatalf("%s with more behind: %v", m.name, err)
			}
			broken := errors.New("connection reset")
			if _, err := m.read(io.MultiReader(bytes.NewReader(m.body[:cut]), brokenReader{broken})); !errors.Is(err, broken) {
				t.Fatalf("%s over a broken connection: %v", m.name, err)
			}
		}
	})
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// A byte that is changed on the way gives an error or a message that adds up,
// never a panic, and nothing that was not asked for.
func TestMessagesSpoiled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spoil := func(body []byte) io.Reader {
			body = slices.Clone(body)
			for range rapid.IntRange(1, 3).Draw(t, "spoiled") {
				body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
			return bytes.NewReader(body)
		}
		tree := drawTree(t)
		if got, err := ReadTree(spoil(encode(t, func(w io.Writer) error { return WriteTree(w, tree) }))); err == nil && got.Check() != nil {
			t.Fatalf("read %+v", got)
		}
		q, leaves := drawLeaves(t)
		if got, err := ReadLeaves(spoil(encode(t, func(w io.Writer) error { return WriteLeaves(w, leaves) })), q); err == nil {
			for i, n := range got.Nodes {
				if n.Node != q.Nodes[i] {
					t.Fatalf("node %d, asked was %d", n.Node, q.Nodes[i])
				}
			}
		}
		question := drawQuestion(t)
		body := encodeDifferences(t, question, drawDifferences(t, question))
		if got, err := readDifferences(spoil(body), question); err == nil && len(got) != len(question.Leaves) {
			t.Fatalf("%d leaves, asked were %d", len(got), len(question.Leaves))
		}
		_, _ = ReadCompareQuestion(spoil(encode(t, func(w io.Writer) error { return WriteCompareQuestion(w, question) })))
		_, _ = ReadLeavesQuestion(spoil(encode(t, func(w io.Writer) error { return WriteLeavesQuestion(w, q) })))
	})
}

// endless goes on for ever, and counts.
type endless struct {
	head string
	body string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read < len(e.head) {
		n := copy(p, e.head[e.read:])
		e.read += n
		return n, nil
	}
	n := 0
	for n < len(p) {
		m := copy(p[n:], e.body[(e.read-len(e.head))%len(e.body):])
		n += m
		e.read += m
	}
	return n, nil
}

// What a hostile peer sends is refused for what it is, before much of it was
// read.
func TestHostileMessages(t *testing.T) {
	const (
		layout = `"layout":{"number":1,"kind":"hashed","epoch":1,"rows":1}`
		root   = `"root":{"rows":2,"sum":"00000000000000000000000000000003"}`
		cell   = `"cell":{"rows":1,"sum":"00000000000000000000000000000003"}`
	)
	question := CompareQuestion{Layout: 1, Width: 1, Leaves: []LeafPrints{{Leaf{5, 1}, []uint64{7, 8}}}}
	answers := func(lines string) string { return `{"v":1,"layout":1,"leaves":1}` + "\n" + lines }
	asked := LeavesQuestion{Layout: 1, Width: 1, Nodes: []Node{5}}
	// node 5, 2 rows, sum 3, leaf 0 alone
	leavesOf := func(rows, sum, count byte) string {
		return `{"v":1,"layout":1,"width":1,"nodes":1}` + "\n\x05" + string(rune(rows)) + strings.Repeat("\x00", 15) + "\x03" +
			"\x01" + strings.Repeat("\x00", 31) + string(rune(count)) + string(rune(sum))
	}
	for _, tt := range []struct {
		name string
		kind string
		head string
		body string // again and again; "" for the end
		want string
	}{
		{"another protocol", "tree", `{"v":2}` + "\n", "", "protocol 2"},
		{"no JSON", "tree", "<html>\n", "", "invalid character"},
		{"an endless first line", "tree", `{"v":1,"x":"`, "x", "over 4096 bytes"},
		{"too many nodes", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":2,"width":1,"nodes":1048577}` + "\n", "\x01", "1048577 nodes"},
		{"nodes that do not come", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":2,"width":1,"nodes":1048576}` + "\n\x01", "", "ends early"},
		{"nodes out of order", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":2,"width":1,"nodes":2}` + "\n\x05\x00", "", "not in order"},
		{"ids that come round", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":2,"width":1,"nodes":2}` + "\n\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "", "not in order"},
		{"a number over 64 bits", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":2,"width":1,"nodes":1}` + "\n", "\xff", "64 bits"},
		{"nodes that do not add up", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":1,"width":1,"nodes":1}` + "\n\x05\x04\x04", "", "do not add up to the root"},
		{"wrong counts", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":1,"width":1,"nodes":1}` + "\n\x05\x02\x03", "", "do not add up to the root"},
		{"a node of no rows", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":1,"width":1,"nodes":1}` + "\n\x05\x00\x03", "", "a cell of 0 rows"},
		{"fewer leaves than nodes", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":0,"width":1,"nodes":1}` + "\n\x05\x04\x03", "", "0 leaves in 1 nodes"},
		{"a root of less than nothing", "tree", `{"v":1,` + layout + `,"root":{"rows":-2,"sum":"00000000000000000000000000000003"},"leaves":0,"width":0,"nodes":0}` + "\n", "", "a root of -2 rows"},
		{"nodes that go on", "tree", `{"v":1,` + layout + `,` + root + `,"leaves":1,"width":1,"nodes":1}` + "\n\x05\x04\x03", "\x01", "more follows"},

		{"leaves of another layout", "leaves", `{"v":1,"layout":2,"width":1,"nodes":1}` + "\n", "\x01", "layout 2"},
		{"more nodes than asked", "leaves", `{"v":1,"layout":1,"width":1,"nodes":2}` + "\n", "\x01", "asked were 1"},
		{"leaves of another node", "leaves", `{"v":1,"layout":1,"width":1,"nodes":1}` + "\n\x06", "\x01", "node 6 was not asked for"},
		{"leaves that do not add up", "leaves", leavesOf(2, 4, 4), "", "do not add up to node 5"},
		{"wrong counts of leaves", "leaves", leavesOf(2, 3, 2), "", "do not add up to node 5"},
		{"a leaf of no rows", "leaves", leavesOf(2, 3, 0), "", "a cell of 0 rows"},

		{"differences of another leaf", "differences", answers(`{"node":"5","leaf":2,` + cell + `}` + "\n"), "", "was not asked for"},
		{"rows that were not sent", "differences", answers(`{"node":"5","leaf":1,` + cell + `,"unmatched":[0,2]}` + "\n"), "", "not those sent"},
		{"rows below zero", "differences", answers(`{"node":"5","leaf":1,` + cell + `,"unmatched":[-1]}` + "\n"), "", "not those sent"},
		{"rows named twice", "differences", answers(`{"node":"5","leaf":1,` + cell + `,"unmatched":[1,1]}` + "\n"), "", "not those sent"},
		{"counts that contradict", "differences", answers(`{"node":"5","leaf":1,` + cell + `}` + "\n"), "", "contradict"},
		{"more rows than the leaf has", "differences", answers(`{"node":"5","leaf":1,` + cell + `,"unmatched":[0,1],"rows":7}` + "\n"), "", "contradict"},
		{"an endless list", "differences", answers(`{"node":"5","leaf":1,"cell":{"rows":99999999,"sum":"00000000000000000000000000000003"},"unmatched":[0,1],"rows":99999999}` + "\n"), "[\"1\",1]\n", "contradict"},
		{"an endless row", "differences", answers(`{"node":"5","leaf":1,` + cell + `,"unmatched":[0,1],"rows":1}` + "\n[\"1\","), "1", "over 65536 bytes"},
		{"endless indexes", "differences", answers(`{"node":"5","leaf":1,"unmatched":[`), "0,", "over 4194304 bytes"},
		{"differences that go on", "differences", answers(`{"node":"5","leaf":1,` + cell + `,"unmatched":[0,1],"rows":1}` + "\n[\"1\",1]\n"), "[\"1\",1]\n", "more follows"},

		{"a question of too many rows", "question", `{"v":1,"layout":1,"salt":"0000000000000000","width":1,"leaves":1}` + "\n\x05\x01\xff\xff\x7f", "x", "over 262144 rows"},
		{"too many rows in many leaves", "question", `{"v":1,"layout":1,"salt":"0000000000000000","width":1,"leaves":3}` + "\n\x01\x01\xff\xff\x0f" + strings.Repeat("x", 1<<18-1) + "\x01\x01\x02", "x", "over 262144 rows"},
		{"a question of too many leaves", "question", `{"v":1,"layout":1,"salt":"0000000000000000","width":1,"leaves":16385}` + "\n", "x", "16385 leaves"},
		{"a question without salt", "question", `{"v":1,"layout":1,"width":1,"leaves":1}` + "\n", "x", "salt"},
		{"leaves asked out of order", "question", `{"v":1,"layout":1,"salt":"0000000000000000","width":1,"leaves":2}` + "\n\x05\x01\x00\x00\x01\x00", "", "not in order"},
		{"leaves of too many nodes", "nodes", `{"v":1,"layout":1,"width":1,"nodes":1025}` + "\n", "\x01", "1025 nodes"},
		{"leaves of no width", "nodes", `{"v":1,"layout":1,"width":0,"nodes":1}` + "\n\x05", "", "sums of 0 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := &endless{head: tt.head, body: tt.body}
			var r io.Reader = e
			if tt.body == "" {
				r = strings.NewReader(tt.head)
			}
			var err error
			switch tt.kind {
			case "tree":
				_, err = ReadTree(r)
			case "leaves":
				_, err = ReadLeaves(r, asked)
			case "differences":
				_, err = readDifferences(r, question)
			case "question":
				_, err = ReadCompareQuestion(r)
			case "nodes":
				_, err = ReadLeavesQuestion(r)
			}
			if !errors.Is(err, ErrMessage) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want one with %q", err, tt.want)
			}
			if e.read > 5<<20 {
				t.Errorf("read %d bytes", e.read)
			}
		})
	}
}

// Matcher finds what two sets have in common, rows that are there twice too.
func TestMatcher(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := CompareQuestion{Salt: 3, Width: 8}
		row := func(n byte) Cell { return Cell{1, 0, uint64(n)} }
		ours := rapid.SliceOf(rapid.ByteRange(0, 9)).Draw(t, "ours")
		theirs := rapid.SliceOf(rapid.ByteRange(0, 9)).Draw(t, "theirs")
		var leaf LeafPrints
		left := map[byte]int{}
		for _, n := range ours {
			leaf.Prints = append(leaf.Prints, q.Salt.Fingerprint(row(n), q.Width))
			left[n]++
		}
		m := NewMatcher(q, leaf)
		for _, n := range theirs {
			if got := m.Row(row(n)); got != (left[n] > 0) {
				t.Fatalf("row %d: matched %v with %d left", n, got, left[n])
			}
			left[n] = max(0, left[n]-1)
		}
		for _, i := range m.Unmatched() {
			left[ours[i]]--
		}
		for n, more := range left {
			if more != 0 {
				t.Fatalf("row %d: %d are neither matched nor not", n, more)
			}
		}
	})
}
