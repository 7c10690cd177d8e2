package config

import (
	"fmt"
	"strings"
)

// A Problem is one thing that is wrong with the file.
type Problem struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`   // from 1; 0 where the file as a whole is meant
	Column   int    `json:"column,omitempty"` // from 1, in characters
	Field    string `json:"field,omitempty"`  // "sources[1].tables[0].dataset"
	Message  string `json:"message"`
	Expected string `json:"expected,omitempty"`
	Hint     string `json:"hint,omitempty"`

	text  string // the line, without secrets
	width int    // of the caret, in characters
}

// Problems is everything that is wrong with a file, in its order. As an error
// it is what a person reads.
type Problems []Problem

// Error writes every problem with its line and a caret, and a count when
// there are several.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteString("\n\n")
		}
		p.write(&b)
	}
	if len(ps) > 1 {
		fmt.Fprintf(&b, "\n\n%d problems", len(ps))
	}
	return b.String()
}

// Error is the problem as a person reads it.
func (p Problem) Error() string {
	var b strings.Builder
	p.write(&b)
	return b.String()
}

func (p Problem) write(b *strings.Builder) {
	if p.Line == 0 {
		fmt.Fprintf(b, "%s: %s", p.File, p.Message)
	} else {
		fmt.Fprintf(b, "%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	}
	gutter := len(fmt.Sprint(p.Line))
	if p.Line > 0 {
		fmt.Fprintf(b, "\n  %d | %s\n  %*s | %s%s", p.Line, p.text, gutter, "",
			indent(p.text, p.Column-1), strings.Repeat("^", max(1, p.width)))
	}
	if p.Expected != "" {
		fmt.Fprintf(b, "\n  %*s = expected %s", gutter, "", p.Expected)
	}
	if p.Hint != "" {
		fmt.Fprintf(b, "\n  %*s = %s", gutter, "", p.Hint)
	}
}

// indent returns what puts a caret under the n-th character of line: blanks,
// and tabs where the line has them.
func indent(line string, n int) string {
	var b strings.Builder
	for _, c := range line {
		if b.Len() == n {
			return b.String()
		}
		if c != '\t' {
			c = ' '
		}
		b.WriteRune(c)
	}
	return b.String() + strings.Repeat(" ", max(0, n-b.Len()))
}
