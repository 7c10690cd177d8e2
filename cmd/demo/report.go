package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// report prints the proof, and what it took to get there.
func (d *demo) report(ctx context.Context, out io.Writer, p proof) error {
	var b strings.Builder
	b.WriteString("\nproof: every row read from the database and from the cloud, and compared\n\n")
	kinds, moved := d.cloud.meter.read()
	const line = "  %-10s %8s  %-5s %8s %8s %11s %9s\n"
	fmt.Fprintf(&b, line, "TABLE", "ROWS", "EQUAL", "CHANGED", "SENT", "COMPRESSED", "REQUESTS")
	rows := 0
	for _, one := range p {
		equal := "yes"
		if one.differ > 0 {
			equal = "NO"
		}
		_, changed, _ := d.ledger.look(one.name, time.Now())
		m := moved[one.name]
		fmt.Fprintf(&b, line, one.name, humanize.Comma(int64(one.here)), equal, humanize.Comma(changed),
			humanize.Comma(d.acted.sent(one.name)), humanize.IBytes(uint64(m.bytes)), humanize.Comma(int64(m.requests)))
		rows += one.here
	}
	b.WriteString("\n  changed: by the writer; sent: rows and deletes, the first load included\n")
	fmt.Fprintf(&b, "  all requests: %s\n\n", list(kinds))
	if p.equal() {
		fmt.Fprintf(&b, "equal: %s in %s\n", count(rows, "row"), count(len(p), "table"))
	} else {
		for _, one := range p {
			one.tell(&b)
		}
		s, err := d.agent.Status(ctx)
		if err != nil {
			return err
		}
		for _, what := range s.Problems() {
			fmt.Fprintf(&b, "the agent says: %s %s: %s\n", what.Scope, what.Name, what.Message)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (t tableProof) tell(b *strings.Builder) {
	if t.differ == 0 {
		return
	}
	fmt.Fprintf(b, "different: %s in %s (%s here, %d in the cloud)\n", count(t.differ, "row"), t.name, count(t.here, "row"), t.cloud)
	for _, text := range t.differences {
		fmt.Fprintf(b, "  %s %s\n", t.name, text)
	}
	if more := t.differ - len(t.differences); more > 0 {
		fmt.Fprintf(b, "  ... and %s\n", count(more, "more row"))
	}
}

// list writes counters, the largest first.
func list(kinds map[string]int) string {
	var parts []string
	for _, k := range slices.SortedFunc(maps.Keys(kinds), func(a, b string) int {
		return cmp.Or(kinds[b]-kinds[a], strings.Compare(a, b))
	}) {
		parts = append(parts, fmt.Sprintf("%s %s", humanize.Comma(int64(kinds[k])), k))
	}
	return strings.Join(parts, ", ")
}
