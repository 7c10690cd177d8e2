package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"
)

// A display shows the run until ctx ends, and then what is left to show.
type display interface {
	run(ctx context.Context) error
}

// display is the one for out: a screen in a terminal, lines elsewhere.
func (d *demo) display(out io.Writer) display {
	f, ok := out.(*os.File)
	if !ok || d.plain || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" || !canMoveCursor(f) {
		return &lines{d: d, out: out}
	}
	return &screen{d: d, out: f, paint: os.Getenv("NO_COLOR") == ""}
}
