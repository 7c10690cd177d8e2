package main

import (
	"bytes"
	"fmt"
	"time"
)

func (a *app) printPlan(p plan) error {
	var b bytes.Buffer
	rows := [][]string{{"TABLE", "NEXT CYCLE", "ROWS", "TO SEND", "UNPACKED", "STATEMENTS", "TIME"}}
	for _, t := range p.Tables {
		will := t.Will
		if t.Error != "" {
			rows = append(rows, []string{t.Table, "not planned", "-", "-", "-", "-", "-"})
			continue
		}
		rows = append(rows, append([]string{t.Table, will}, t.figures.columns()...))
	}
	if len(p.Tables) > 1 {
		rows = append(rows, append([]string{"all", ""}, p.Total.columns()...))
	}
	if err := columns(&b, rows); err != nil {
		return err
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	for _, t := range p.Tables {
		if t.Error != "" {
			fmt.Fprintf(&b, "\n%s: %s\n", t.Table, t.Error)
		}
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "\n%s: %s\n", t.Table, n)
		}
		if t.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", t.Hint)
		}
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

func (f figures) columns() []string {
	about := ""
	if f.Estimated {
		about = "~"
	}
	if f.Unknown {
		return []string{"?", "?", "?", about + count(&f.Statements), about + span(f.time())}
	}
	return []string{about + count(&f.Rows), about + size(f.Packed), about + size(f.Bytes), about + count(&f.Statements), about + span(f.time())}
}

func (f figures) time() time.Duration { return time.Duration(f.Seconds * float64(time.Second)) }
