package wildcard_test

import (
	"testing"

	"tidemark/internal/wildcard"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"*", "anything", true}, {"", "", true}, {"", "a", false},
		{"note", "NOTE", true}, {"note", "notes", false}, {"ÄRGER", "ärger", true},
		{"*_note", "internal_NOTE", true}, {"*_note", "note", false}, {"a*b*c", "a1b2b3c", true}, {"a*b*c", "a1b2", false},
		{"id?", "id1", true}, {"id?", "id", false}, {"?", "ü", true}, {"**", "x", true},
	} {
		if got := wildcard.Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) is %v", c.pattern, c.name, got)
		}
	}
}
