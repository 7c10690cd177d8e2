package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"tidemark/cloud"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk"), 1},
		{wire.NewProblem(wire.Internal, "", ""), 1},
		{usageError{errors.New("flag")}, 2},
		{configError{os.ErrNotExist}, 3},
		{cloud.ErrUnavailable, 4},
		{unreachable{errors.New("dial")}, 4},
		{aboutCustomer("look", wire.NewProblem(wire.NotFound, "", "")), 6},
		{aboutTable("look", "acme", wire.NewProblem(wire.NotFound, "", "")), 6},
		{cloud.ErrExists, 7},
		{errNo, 7},
		{context.Canceled, 130},
		{errors.Join(cloud.ErrUnavailable, context.Canceled), 130},
	} {
		err := test.err
		if err != nil {
			err = fault.New("do it", fmt.Errorf("wrapped: %w", err), "hint")
		}
		if got := exitCode(err); got != test.want {
			t.Errorf("%v: %d, not %d", test.err, got, test.want)
		}
	}
}

// docs/exit-codes.md has the table of the program in a section of its own.
func TestExitCodesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n## tidemark-cloud\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var rows []string
	for _, m := range tableRow.FindAllStringSubmatch(section, -1) {
		rows = append(rows, m[1]+" "+m[2])
	}
	var want []string
	for _, e := range exitCodes {
		want = append(want, fmt.Sprintf("%d %s", e.code, e.meaning))
	}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("the document says\n%v, the program\n%v", rows, want)
	}
}

var tableRow = regexp.MustCompile(`(?m)^\| ([0-9]+) \| (.*) \|$`)
