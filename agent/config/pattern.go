package config

import (
	"strings"

	"tidemark/internal/wildcard"
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
	if err := n.parse(marked.Replace(text)); err != nil {
		return Pattern{}, err
	}
	back := strings.NewReplacer("\uE000", "*", "\uE001", "?")
	p := Pattern{schema: back.Replace(n.Schema), name: back.Replace(n.Name)}
	p.exactSchema, p.exactIn = bracketed(text)
	return p, nil
}

// bracketed tells which parts of a name that was parsed are in brackets.
func bracketed(text string) (schema, name bool) {
	first, rest := strings.HasPrefix(text, "["), ""
	if first {
		end := 1
		for text[end] != ']' || strings.HasPrefix(text[end:], "]]") {
			if text[end] == ']' {
				end++
			}
			end++
		}
		rest = text[end+1:]
	} else if i := strings.IndexByte(text, '.'); i >= 0 {
		rest = text[i:]
	}
	if rest == "" {
		return false, first
	}
	return first, strings.HasPrefix(rest, ".[")
}

func (p *Pattern) parse(text string) (err error) {
	*p, err = ParsePattern(text)
	return err
}

func (*Pattern) expected() string { return "a table or a pattern such as dbo.*_log" }

// Wild tells whether the pattern can mean more than one table.
func (p Pattern) Wild() bool {
	return !p.exactSchema && wildcard.In(p.schema) || !p.exactIn && wildcard.In(p.name)
}

// Match tells whether the pattern means that table.
func (p Pattern) Match(t TableName) bool {
	return part(p.schema, t.Schema, p.exactSchema) && part(p.name, t.Name, p.exactIn)
}

func part(pattern, name string, exact bool) bool {
	if exact {
		return strings.EqualFold(pattern, name)
	}
	return wildcard.Match(pattern, name)
}
