package config

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// A spot is a place in the file, in characters, from 1.
type spot struct{ line, column, width int }

// spotOf returns where a token stands. A text of several lines is where it
// begins.
func spotOf(t *token.Token) spot {
	raw, _, _ := strings.Cut(strings.TrimSpace(t.Origin), "\n")
	return spot{line: t.Position.Line, column: max(1, t.Position.Column), width: max(1, utf8.RuneCountInString(raw))}
}

// A file is the text of a configuration, and which parts of it are not to be
// shown.
type file struct {
	path   string
	lines  []string
	hidden map[int]int // by line: the first character that may be secret
}

func newFile(path string, text []byte) *file {
	return &file{path: path, lines: strings.Split(string(text), "\n"), hidden: map[int]int{}}
}

// hide keeps a value out of every message: from its first character to the
// end of that line, and the lines below that are indented deeper than its key.
func (f *file) hide(value spot, keyColumn int) {
	f.hideFrom(value.line, value.column)
	for n := value.line + 1; n <= len(f.lines); n++ {
		line := f.lines[n-1]
		body := strings.TrimLeft(line, " ")
		if at := len(line) - len(body) + 1; body != "" && (at < keyColumn || at == keyColumn && !strings.HasPrefix(body, "-")) {
			return
		}
		f.hideFrom(n, 1)
	}
}

func (f *file) hideFrom(line, column int) {
	if old, ok := f.hidden[line]; !ok || column < old {
		f.hidden[line] = column
	}
}

// show returns a line with everything hidden that may be secret. References
// are not secret.
func (f *file) show(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	line := strings.TrimRight(f.lines[n-1], "\r")
	column, ok := f.hidden[n]
	if !ok {
		return line
	}
	runes := []rune(line)
	cut := min(column-1, len(runes))
	open, secret := string(runes[:cut]), string(runes[cut:])
	refs := referencePattern.FindAllString(secret, -1)
	if left := strings.Trim(referencePattern.ReplaceAllString(secret, ""), " \"'"); left != "" {
		refs = append(refs, "***")
	}
	return open + strings.Join(refs, "")
}

// smells finds values that are secret by the name of their field. It is used
// where the file cannot be parsed, so that nothing better is known.
var smells = regexp.MustCompile(`(?i)["']?[\w-]*(pass|pwd|pw|key|secret|token|dsn|cred|proxy)[\w-]*["']?\s*:\s*`)

func (f *file) hideBySmell() {
	for i, line := range f.lines {
		if m := smells.FindStringIndex(line); m != nil {
			column := utf8.RuneCountInString(line[:m[1]]) + 1
			f.hide(spot{line: i + 1, column: column}, len(line)-len(strings.TrimLeft(line, " -"))+1)
		}
	}
}

// problem completes p with the place and the line.
func (f *file) problem(at spot, p Problem) Problem {
	p.File, p.Line, p.Column, p.width = f.path, at.line, at.column, at.width
	p.text = f.show(at.line)
	if room := utf8.RuneCountInString(p.text) - (at.column - 1); p.width > room {
		p.width = max(1, room)
	}
	return p
}
