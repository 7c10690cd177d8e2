package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A diffReport is what comparisons took, by size of the table, and what
// batches wrote.
type diffReport struct {
	sizes []*sizeReport
	wal   []walFigure
}

type sizeReport struct {
	rows   int
	loaded run
	alone  []drained  // keys read alone
	equal  []compared // as often
	lines  []*diffLine
}

// A diffLine is one comparison.
type diffLine struct {
	scene, way string
	compared
	pages  int64 // of the table, that the differing leaves have; 0: not known
	leaves int
}

func (s *sizeReport) add(scene, way string, c compared) *diffLine {
	if c.Manifest != "" && way != "manifests" {
		way += ", then manifests"
	}
	l := &diffLine{scene: scene, way: way, compared: c}
	s.lines = append(s.lines, l)
	return l
}

func (r *diffReport) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s\n", machine(), runtime.Version(), time.Now().UTC().Format(time.DateOnly))
	for _, s := range r.sizes {
		s.print(w)
	}
	for _, f := range r.wal {
		fmt.Fprintln(w, f)
	}
	goals := report{lines: r.goals()}
	fmt.Fprintln(w, "\nGoals")
	goals.table(w)
}

func (s *sizeReport) print(w io.Writer) {
	fmt.Fprintf(w, "\n%d rows; first load %.1f s, all of that command %.1f s, peak %.1f MiB\n", s.rows, s.loaded.uploaded.Seconds(), s.loaded.wall.Seconds(), mib(s.loaded.peak))
	if len(s.alone) > 0 {
		fmt.Fprintf(w, "keys alone %s (CPU %s), compared %s (CPU %s)\n", seconds(each(s.alone, func(d drained) time.Duration { return d.Wall })), seconds(each(s.alone, func(d drained) time.Duration { return d.CPU })),
			seconds(each(s.equal, func(c compared) time.Duration { return c.Duration })), seconds(each(s.equal, func(c compared) time.Duration { return c.cpu })))
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "differences\tway\trequests\tup\tdown\theaders\tbuffers: rows\tkept\tnodes\tleaves\ttime\tCPU\tpeak")
	for _, l := range s.lines {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.2f s\t%.2f s\t%.1f MiB\n", l.scene, l.way, l.traffic.bodies.requests, l.traffic.bodies.up, l.traffic.bodies.down, l.traffic.wire-l.traffic.bodies.up-l.traffic.bodies.down,
			l.buffers.rows, l.buffers.kept, l.Nodes, l.Leaves, l.Duration.Seconds(), l.cpu.Seconds(), mib(l.peak))
	}
	_ = t.Flush() // writes to the terminal
	for _, l := range s.lines {
		fmt.Fprintf(w, "  %s, %s: %s; buffers%s\n", l.scene, l.way, paths(l.traffic.byPath), tables(l.buffers.byTable))
	}
}

func paths(byPath map[string]tally) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(byPath)) {
		t := byPath[name]
		parts = append(parts, fmt.Sprintf("%s %d (%d up, %d down)", name, t.requests, t.up, t.down))
	}
	return strings.Join(parts, ", ")
}

func tables(byTable map[string]int64) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(byTable)) {
		fmt.Fprintf(&b, " %s %d", name, byTable[name])
	}
	return b.String()
}

func seconds(all []time.Duration) string {
	var parts []string
	for _, d := range all {
		parts = append(parts, fmt.Sprintf("%.2f", d.Seconds()))
	}
	return strings.Join(parts, ", ") + " s"
}
