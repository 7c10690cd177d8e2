package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"tidemark/cloud"
	"tidemark/internal/command"
	"tidemark/internal/command/commandtest"
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
		{&command.UsageError{Err: errors.New("flag")}, 2},
		{cloud.ErrWhy, 2},
		{cloud.ErrBound, 2},
		{&command.ConfigError{Err: os.ErrNotExist}, 3},
		{cloud.ErrUnavailable, 4},
		{unreachable{errors.New("dial")}, 4},
		{aboutCustomer("look", wire.NewProblem(wire.NotFound, "", "")), 6},
		{aboutTable("look", "acme", wire.NewProblem(wire.NotFound, "", "")), 6},
		{cloud.ErrUnknown, 6},
		{cloud.ErrExists, 7},
		{cloud.ErrChanged, 7},
		{errNo, 7},
		{context.Canceled, 130},
		{errors.Join(cloud.ErrUnavailable, context.Canceled), 130},
	} {
		err := test.err
		if err != nil {
			err = fault.New("do it", fmt.Errorf("wrapped: %w", err), "hint")
		}
		if got := program.ExitCode(err); got != test.want {
			t.Errorf("%v: %d, not %d", test.err, got, test.want)
		}
	}
}

func TestExitCodesAreDocumented(t *testing.T) {
	commandtest.Codes(t, "../../docs/exit-codes.md", "tidemark-cloud", program.Codes)
}
