package cloud

import (
	"errors"
	"fmt"

	"tidemark/internal/fault"
)

// ErrUnknown is found in errors about names that nothing has.
var ErrUnknown = errors.New("there is none of that name")

// unknown is the error of a name that nothing has, with the one that was
// probably meant.
func unknown(op, what, name string, all []string, hint string) error {
	if meant := Nearest(name, all); meant != "" {
		hint = fmt.Sprintf("did you mean %q?", meant)
	}
	return fault.New(op, fmt.Errorf("%s %q: %w", what, name, ErrUnknown), hint)
}

// Nearest returns the candidate that a name was probably meant to be, or "":
// the fewest changes of a letter, of fewer than half of them.
func Nearest(name string, candidates []string) string {
	best, meant := (len(name)+1)/2, ""
	for _, c := range candidates {
		if d := distance(name, c); d < best {
			best, meant = d, c
		}
	}
	return meant
}

// distance is the number of letters to insert, remove or replace.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(y)]
}
