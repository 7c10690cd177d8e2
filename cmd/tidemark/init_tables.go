package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"tidemark/agent/config"
	"tidemark/sqlserver"
)

// printSurvey lists tables with the numbers that choose them.
func printSurvey(w io.Writer, all []surveyed) error {
	rows := [][]string{{"#", "TABLE", "ROWS", "SIZE", "KEY", "CHANGES ARE FOUND"}}
	for i, t := range all {
		number := strconv.Itoa(i + 1)
		if t.Refused != "" {
			number = "-"
		}
		rows = append(rows, []string{number, nameOf(t.Table).String(), t.rowCount(), t.space(), t.key(), t.changes()})
	}
	return columns(w, rows)
}

func nameOf(t *sqlserver.Table) config.TableName {
	return config.TableName{Schema: t.Schema, Name: t.Name}
}

var errNoTables = errors.New("no table was chosen")

// choose returns which of all tables are wanted: numbers, ranges of numbers,
// names, patterns, or "all" that can be synced; with a "!" in front, not those.
func choose(all []surveyed, wanted []string) ([]bool, error) {
	chosen := make([]bool, len(all))
	for _, w := range wanted {
		if w = strings.TrimSpace(w); w == "" {
			continue
		}
		name, not := strings.CutPrefix(w, "!")
		which, named, err := pick(all, name)
		if err != nil {
			return nil, err
		}
		if len(which) == 0 && (named || !not) {
			return nil, fmt.Errorf("%q is no table that this login can see", name)
		}
		for _, i := range which {
			if why := all[i].Refused; why != "" && named && !not {
				return nil, fmt.Errorf("table %s cannot be synced: %s", nameOf(all[i].Table), why)
			}
			chosen[i] = !not && all[i].Refused == ""
		}
	}
	if !slices.Contains(chosen, true) {
		return nil, errNoTables
	}
	return chosen, nil
}

// pick finds what one word means; named tells that it is the name or number
// of one table.
func pick(all []surveyed, word string) (which []int, named bool, err error) {
	if first, last, ok := numbers(word); ok {
		if first < 1 || last > len(all) || first > last {
			return nil, false, fmt.Errorf("%q is not among 1 to %d", word, len(all))
		}
		for i := first; i <= last; i++ {
			which = append(which, i-1)
		}
		return which, first == last, nil
	}
	if word == "all" {
		word = "*.*"
	}
	pattern, err := config.ParsePattern(word)
	if err != nil {
		return nil, false, fmt.Errorf("%q: %w", word, err)
	}
	for i, t := range all {
		if pattern.Match(nameOf(t.Table)) {
			which = append(which, i)
		}
	}
	return which, !pattern.Wild(), nil
}

func numbers(word string) (first, last int, ok bool) {
	from, to, isRange := strings.Cut(word, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	return first, last, err1 == nil && err2 == nil
}

// split takes apart what was typed: words between commas or blanks, but for
// those in brackets.
func split(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		return depth <= 0 && (r == ',' || r == ' ')
	})
}

// draftTables is the list as it stands in the file: what was not chosen as
// comments.
func draftTables(all []surveyed, chosen []bool) []config.DraftTable {
	var list []config.DraftTable
	for i, t := range all {
		list = append(list, config.DraftTable{Name: nameOf(t.Table), Note: t.note(), Off: !chosen[i]})
	}
	return list
}
