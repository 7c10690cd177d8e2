package config

import (
	"strings"
)

// A Pattern is the name of a table in which * stands for any characters and ?
// for one: dbo.*, sales.order_?, *.* for all. Case does not matter, as in most
// databases. In brackets they stand for themselves.
type Pattern struct {
	schema, name         string // with * and ?
	exactSchema, exactIn bool   // written in brackets
}

// ParsePattern reads a name or a pattern. Without a schema it is of dbo.
func ParsePattern(text string) (Pattern, error) {
	var n TableName
	marked := strings.NewReplacer("*", "\uE000", "?", "\uE001") // not patterns to the parser
	schema, name, ok := cutPattern(text)
	if err := n.parse(marked.Replace(text)); err != nil {
		return Pattern{}, err
	}
	back := strings.NewReplacer("\uE000", "*", "\uE001", "?")
	p := Pattern{schema: back.Replace(n.Schema), name: back.Replace(n.Name)}
	if ok {
		p.exactSchema, p.exactIn = strings.HasPrefix(schema, "["), strings.HasPrefix(name, "[")
	} else {
		p.exactIn = strings.HasPrefix(text, "[")
	}
	return p, nil
}

// cutPattern finds the dot between schema and name.
func cutPattern(text string) (schema, name string, ok bool) {
	depth := 0
	for i, r := range text {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		case '.':
			if depth <= 0 {
				return text[:i], text[i+1:], true
			}
		}
	}
	return "", text, false
}

// Wild tells whether the pattern can mean more than one table.
func (p Pattern) Wild() bool {
	return !p.exactSchema && strings.ContainsAny(p.schema, "*?") || !p.exactIn && strings.ContainsAny(p.name, "*?")
}

// Match tells whether the pattern means that table.
func (p Pattern) Match(t TableName) bool {
	return part(p.schema, t.Schema, p.exactSchema) && part(p.name, t.Name, p.exactIn)
}

func part(pattern, name string, exact bool) bool {
	if exact {
		return strings.EqualFold(pattern, name)
	}
	return wild([]rune(strings.ToLower(pattern)), []rune(strings.ToLower(name)))
}

// wild goes back to the last * only, which is enough, and linear in practice.
func wild(pattern, name []rune) bool {
	p, n, star, from := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p, n = p+1, n+1
		case star >= 0:
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
