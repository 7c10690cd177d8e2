package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/agent/state"
	"tidemark/internal/command"
	"tidemark/internal/command/commandtest"
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

func TestExitCodesAreDocumented(t *testing.T) {
	var codes []command.Code
	for _, e := range exitCodes {
		codes = append(codes, command.Code{Code: e.code, Meaning: e.meaning})
	}
	commandtest.Codes(t, "../../docs/exit-codes.md", "", codes)
}
