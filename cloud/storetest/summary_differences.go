package storetest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tidemark/cloud/ledger"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// differenceKeys are the keys that leaves are looked up by, in order of ids.
var differenceKeys = []struct {
	name  string
	types []string
	of    func(id int) string
}{
	{"int", []string{"int"}, func(id int) string { return fmt.Sprint(id*5 - 9000) }},
	{"bigint", []string{"bigint"}, func(id int) string { return fmt.Sprintf(`"%d"`, int64(id)*1e12-1<<60) }},
	{"decimal", []string{"decimal(9,0)"}, func(id int) string { return fmt.Sprintf(`"%d"`, id-2000) }},
	{"date", []string{"date"}, func(id int) string { return fmt.Sprintf(`"%04d-%02d-%02d"`, 1900+id/336, id/28%12+1, id%28+1) }},
	{"datetime2", []string{"datetime2(7)"}, func(id int) string {
		return fmt.Sprintf(`"2026-11-23T%02d:%02d:%02d.%07d"`, id/3600, id/60%60, id%60, id%3*1000)
	}},
	{"smalldatetime", []string{"smalldatetime"}, func(id int) string {
		return fmt.Sprintf(`"2026-%02d-%02dT%02d:%02d:00"`, id/1440%12+1, id/17280+1, id/60%24, id%60)
	}},
	{"two columns", []string{"nvarchar(9)", "int"}, func(id int) string { return fmt.Sprintf(`"part %d",%d`, id%3, id) }},
	{"order lines", []string{"int", "smallint"}, func(id int) string { return fmt.Sprintf("%d,%d", id/3, id%3) }},
	{"uniqueidentifier", []string{"uniqueidentifier"}, keyForms[3].of},
	{"text", []string{"nvarchar(20)"}, func(id int) string { return fmt.Sprintf(`"key é %d"`, id) }},
}

// testDifferences plays an agent that lacks rows, has others, and has some in
// another version: what comes back explains every leaf to the last bit.
func testDifferences(t *testing.T, f *fixture) {
	for _, k := range differenceKeys {
		t.Run(k.name, func(t *testing.T) {
			var names []string
			var columns []wire.Column
			for i, typ := range k.types {
				names = append(names, fmt.Sprint("k", i))
				columns = append(columns, column(names[i], typ))
			}
			s := f.siteNamed(t, customer, k.name, schema(names, append(columns, column("v", "int"))...))
			line := func(id int, version uint64) string { return fmt.Sprintf(`["%d",%s,1]`, version, k.of(id)) }
			var rows []string
			for id := range 4000 {
				rows = append(rows, line(id, uint64(id+1)))
			}
			s.load(t, rows[:2000]...)
			s.epoch = epochB
			s.load(t, rows[2000:3900]...) // the others stay rows of the epoch before
			if _, err := f.sums(t).Summarize(t.Context(), customer, k.name); err != nil {
				t.Fatal(err)
			}
			s.delta(t, rows[3900:]...) // in the log
			s.differ(t, k.of)
		})
	}
}

func (s *site) differ(t *testing.T, of func(int) string) {
	tree, has := s.summed(t)
	secret, types := s.secret(t), s.schema.KeyTypes()
	bucket, err := summary.NewBucketer(tree.Layout, types, secret)
	if err != nil {
		t.Fatal(err)
	}
	hash := summary.NewHasher(secret, tree.Layout.Number)
	agent := map[summary.Leaf][]summary.Cell{} // rows 1000 to 4099, every seventh in another version
	for id := 1000; id < 4100; id++ {
		values, err := wire.SplitRow([]byte("["+of(id)+"]"), nil)
		if err != nil {
			t.Fatal(err)
		}
		key, err := canon.Key(nil, types, values)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := bucket.Leaf(key)
		if err != nil {
			t.Fatal(err)
		}
		version := uint64(id + 1)
		if id%7 == 0 {
			version += 5000
		}
		agent[leaf] = append(agent[leaf], hash.Row(key, tree.Layout.Epoch, version))
	}
	q := summary.CompareQuestion{Layout: tree.Layout.Number, Salt: 3, Width: 8}
	leaves := map[summary.Leaf]bool{}
	for l := range agent {
		leaves[l] = true
	}
	for l := range has.rows {
		leaves[l] = true
	}
	for l := range leaves {
		p := summary.LeafPrints{Leaf: l}
		for _, c := range agent[l] {
			p.Prints = append(p.Prints, q.Salt.Fingerprint(c, q.Width))
		}
		q.Leaves = append(q.Leaves, p)
	}
	slices.SortFunc(q.Leaves, func(a, b summary.LeafPrints) int { return a.Leaf.Compare(b.Leaf) })
	if len(q.Leaves) < 8 {
		t.Errorf("%d leaves", len(q.Leaves))
	}
	if len(q.Leaves) > summary.MaxLeavesAsked {
		t.Fatalf("%d leaves", len(q.Leaves))
	}
	var body bytes.Buffer
	w := summary.NewDifferenceWriter(&body, q)
	if err := s.f.sums(t).Differences(t.Context(), s.customer, s.table, q, w.Leaf); err != nil {
		t.Fatalf("Differences: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	lines := 0
	err = summary.ReadDifferences(&body, q, func(i int, d *summary.LeafDifference) error {
		lines += d.Rows.N
		if d.Cell != has.cells[d.Leaf] {
			t.Errorf("leaf %v: cell %v, its rows make %v", d.Leaf, d.Cell, has.cells[d.Leaf])
		}
		var rest summary.Cell // of the agent's, without what the cloud lacks, with what the agent lacks
		for _, c := range agent[d.Leaf] {
			rest.Add(c)
		}
		for _, at := range d.Unmatched {
			rest.Sub(agent[d.Leaf][at])
		}
		for text := range strings.Lines(string(d.Rows.Buf)) {
			rest.Add(stampedCell(t, hash, types, text, tree.Layout.Epoch))
		}
		if rest != d.Cell {
			t.Errorf("leaf %v is not explained", d.Leaf)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// 1,000 rows the agent has not, 1,000 are of the epoch before, and of the
	// others every seventh is in another version.
	if want := 2000 + 2000/7; cmp.Compare(lines, want-2) < 0 || lines > want+2 {
		t.Errorf("%d rows came back, want about %d", lines, want)
	}
}

// stampedCell is the cell of a manifest line.
func stampedCell(t *testing.T, hash *summary.Hasher, types []wire.Type, text string, current int64) summary.Cell {
	values, err := wire.SplitRow([]byte(strings.TrimSuffix(text, "\n")), nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := canon.Key(nil, types, values[1:])
	if err != nil {
		t.Fatal(err)
	}
	version, epoch, err := parseStamp(values[0])
	if err != nil {
		t.Fatal(err)
	}
	if epoch == 0 {
		epoch = current
	}
	return hash.Row(key, epoch, version)
}

func parseStamp(quoted []byte) (version uint64, epoch int64, err error) {
	return ledger.ParseStamp(quoted[1 : len(quoted)-1])
}
