package config

import (
	"slices"
	"strings"
)

// Expand makes the tables that a source's patterns take its own, in place of
// those that they took before. all are the tables that there are. It returns
// the patterns that took none.
func (c *Config) Expand(source string, all []TableName) (idle []Pattern) {
	i := slices.IndexFunc(c.Sources, func(s Source) bool { return s.Name == source })
	if i < 0 {
		return nil
	}
	s := &c.Sources[i]
	s.Tables = slices.Clip(s.Tables[:s.named])
	taken, datasets := map[string]bool{}, map[string]bool{}
	for _, other := range c.Sources {
		for _, t := range other.Tables {
			datasets[strings.ToLower(t.Dataset)] = true
		}
	}
	for _, t := range s.Tables {
		taken[strings.ToLower(t.Name.String())] = true
	}
	for _, g := range s.Patterns {
		matched := false
		for _, name := range all {
			if !g.Pattern.Match(name) || slices.ContainsFunc(s.ExcludeTables, func(p Pattern) bool { return p.Match(name) }) {
				continue
			}
			matched = true
			t := g.Table
			t.Name, t.Dataset, t.ByPattern = name, c.dataset(s.Name, name), true
			if taken[strings.ToLower(name.String())] || datasets[strings.ToLower(t.Dataset)] || !canBeDataset(t.Dataset) {
				continue
			}
			taken[strings.ToLower(name.String())], datasets[strings.ToLower(t.Dataset)] = true, true
			s.Tables = append(s.Tables, t)
		}
		if !matched {
			idle = append(idle, g.Pattern)
		}
	}
	return idle
}

// Taken returns the tables of a source that its patterns took.
func (s Source) Taken() []TableName {
	var names []TableName
	for _, t := range s.Tables[s.named:] {
		names = append(names, t.Name)
	}
	return names
}

// dataset is the name that a table has in the cloud when the file gives none.
func (c *Config) dataset(source string, t TableName) string {
	name := t.Schema + "." + t.Name
	if len(c.Sources) > 1 {
		name = source + "." + name
	}
	return name
}

// String returns the pattern as it could be written.
func (p Pattern) String() string {
	written := func(text string, exact bool) string {
		if exact {
			return "[" + strings.ReplaceAll(text, "]", "]]") + "]"
		}
		return text
	}
	return written(p.schema, p.exactSchema) + "." + written(p.name, p.exactIn)
}
