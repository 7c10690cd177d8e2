package config

import (
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Redacted returns the file as it may be shown to others: without its comments,
// in which people write anything, and with every secret hidden, and the number
// of lines from which something was left out. References are shown.
func (c *Config) Redacted() (text string, hidden int) {
	comments := map[int]int{} // the column of each, by line
	for _, t := range lexer.Tokenize(strings.Join(c.file.lines, "\n")) {
		if t.Type == token.CommentType {
			comments[t.Position.Line] = t.Position.Column
		}
	}
	var b strings.Builder
	for i, line := range c.file.lines {
		n := i + 1
		shown := c.file.show(n)
		at, comment := comments[n]
		if from, ok := c.file.hidden[n]; comment && (!ok || at <= from) {
			shown = strings.TrimRight(string([]rune(shown)[:min(at-1, len([]rune(shown)))]), " \t")
		}
		if shown != strings.TrimRight(line, "\r") {
			hidden++
		}
		if comment && strings.TrimSpace(shown) == "" {
			continue
		}
		b.WriteString(shown + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n", hidden
}
