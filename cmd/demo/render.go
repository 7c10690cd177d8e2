package main

import (
	"cmp"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// wide is from where on decisions fit beside the numbers.
const wide = 110

// render lays a frame out in lines of at most width characters, at most
// height of them.
func render(f frame, width, height int, colours bool) []string {
	p := painter{colours, width}
	rows := []string{
		p.line(bold, "Tidemark demo: rows change in a database and arrive in the cloud"),
		p.pair("source", "SQL Server stand-in at "+f.source),
		p.pair("cloud", "API at "+f.cloud+", over SQLite"),
		p.pair("files", f.files()),
		"",
		p.line(plain, f.clock()+"  "+f.phase),
		"",
	}
	rows = append(rows, p.table(f)...)
	rows = append(rows, p.ceiling(f.held))
	for _, t := range f.problems {
		rows = append(rows, p.line(red, "  "+t))
	}
	rows = append(rows, "")
	room := max(1, height-len(rows))
	for _, e := range f.events[max(0, len(f.events)-room):] {
		rows = append(rows, p.event(e))
	}
	return rows[:min(len(rows), height)]
}

func (f frame) files() string {
	if f.kept {
		return f.dir + ", kept"
	}
	return f.dir + ", removed at the end"
}

func (f frame) clock() string {
	s := fmt.Sprintf("%ds", f.elapsed/time.Second)
	if f.length > 0 {
		s = fmt.Sprintf("%ds of %s", min(f.elapsed, f.length)/time.Second, f.length)
	}
	return s
}

// A style is the number of an SGR sequence (ECMA-48, 8.3.117).
type style int

const (
	plain  style = 0
	bold   style = 1
	dim    style = 2
	red    style = 31
	green  style = 32
	yellow style = 33
	blue   style = 34
	cyan   style = 36
)

type painter struct {
	colours bool
	width   int
}

func (p painter) paint(s style, text string) string {
	if !p.colours || s == plain || text == "" {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", s, text)
}

// line cuts text to the width.
func (p painter) line(s style, text string) string { return p.paint(s, fit(text, p.width)) }

func (p painter) pair(name, text string) string {
	return p.paint(dim, fmt.Sprintf("  %-8s", name)) + fit(text, p.width-10)
}

// columns of numbers, with a space between them.
const numbers = "  %-10s %8s %8s %7s %8s"

func (p painter) table(f frame) []string {
	head := fmt.Sprintf(numbers, "TABLE", "HERE", "CLOUD", "LAG", "BATCHES")
	if p.width >= wide {
		head += "   LAST DECISION"
	}
	rows := []string{p.line(dim, head)}
	for _, t := range f.tables {
		cloud := "-"
		if t.cloud >= 0 {
			cloud = humanize.Comma(t.cloud)
		}
		lag, shade := "-", green
		if t.lag > 0 {
			lag, shade = seconds(t.lag), plain
		}
		figures := p.paint(shade, fit(fmt.Sprintf(numbers, t.name, humanize.Comma(int64(t.here)), cloud, lag, humanize.Comma(int64(t.batches))), p.width))
		if p.width >= wide {
			rows = append(rows, figures+"   "+p.decision(t, p.width-utf8.RuneCountInString(head)+len("LAST DECISION")))
			continue
		}
		rows = append(rows, figures, "    "+p.decision(t, p.width-4))
	}
	return rows
}

func (p painter) decision(t tableLine, width int) string {
	if t.action == "" {
		return p.paint(dim, fit("not looked at yet", width))
	}
	shade := cmp.Or(map[string]style{"upload": cyan, "diff": yellow}[t.action], dim)
	if t.failed {
		shade = red
	}
	return p.paint(shade, fit(t.action+": "+t.reason, width))
}

func (p painter) ceiling(h *heldLine) string {
	if h == nil {
		return p.line(dim, "  no transaction is open: all that is committed may be sent")
	}
	return p.line(yellow, fmt.Sprintf("  ceiling %s, held for %s by an open transaction: %s wait",
		humanize.Comma(int64(h.ceiling)), seconds(h.since), count(int64(h.waiting), "row version")))
}

func (p painter) event(e event) string {
	who := map[string]style{"writer": blue, "agent": cyan}[e.who]
	text := plain
	if e.bad {
		text = red
	}
	return p.paint(dim, fmt.Sprintf("%7s", seconds(e.at))) + "  " + p.paint(who, fmt.Sprintf("%-6s", e.who)) + "  " +
		p.paint(text, fit(e.text, p.width-17))
}

// fit cuts what is longer than width.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	r := []rune(text)
	return string(r[:max(0, width-1)]) + "…"
}
