package main

import (
	"io"
	"testing"

	"tidemark/internal/command/commandtest"
)

func TestHelp(t *testing.T) {
	commandtest.Help(t, newRoot(&app{}), func(args []string, out io.Writer) int { return run(args, nil, out, out) }, *update)
}
