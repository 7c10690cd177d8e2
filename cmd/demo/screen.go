package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// refresh is the time between two frames: often enough to see tenths of a
// second, and calm.
const refresh = 200 * time.Millisecond

// A screen redraws frames in place, below what the terminal already shows.
type screen struct {
	d     *demo
	out   *os.File
	paint bool

	width, height int
	drawn         int // lines of the frame that is shown
}

func (s *screen) run(ctx context.Context) error {
	if _, err := s.out.WriteString("\x1b[?25l"); err != nil { // hide the cursor
		return err
	}
	defer func() { _, _ = s.out.WriteString("\x1b[?25h") }()
	for {
		if err := s.draw(ctx); err != nil {
			return err
		}
		if !pause(ctx, refresh) {
			return s.draw(context.WithoutCancel(ctx))
		}
	}
}

func (s *screen) draw(ctx context.Context) error {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width < 20 || height < 10 {
		width, height = 80, 24
	}
	f, err := s.d.frame(ctx, height)
	if err != nil {
		return err
	}
	rows := render(f, width, height-1, s.paint)
	var b strings.Builder
	switch {
	case s.drawn > 0 && (width != s.width || height != s.height):
		b.WriteString("\x1b[2J\x1b[H") // lines have been broken elsewhere: begin anew
	case s.drawn > 0:
		fmt.Fprintf(&b, "\x1b[%dA\r", s.drawn)
	}
	for _, r := range rows {
		b.WriteString(r + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.width, s.height, s.drawn = width, height, len(rows)
	_, err = s.out.WriteString(b.String())
	return err
}
