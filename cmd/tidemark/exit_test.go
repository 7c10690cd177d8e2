package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/agent/state"
	"tidemark/internal/fault"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk"), 1},
		{errUnwell, 1},
		{usageError{errors.New("flag")}, 2},
		{config.Problems{{}}, 3},
		{configError{os.ErrNotExist}, 3},
		{configError{errUnwell}, 3},
		{control.ErrNotRunning, 4},
		{errNotLive, 4},
		{control.ErrRefused, 5},
		{os.ErrPermission, 5},
		{agent.ErrNoTable, 6},
		{agent.ErrAmbiguous, 6},
		{agent.ErrBusy, 7},
		{agent.ErrPaused, 7},
		{agent.ErrNoApproval, 7},
		{state.ErrInUse, 7},
		{context.Canceled, 130},
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

// docs/exit-codes.md is the table of the program.
func TestExitCodesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	section, _, _ := strings.Cut(string(doc), "\n## tidemark-cloud\n")
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
