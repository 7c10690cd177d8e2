package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"tidemark/agent"
)

// minEvery is the least time between two looks at a status.
const minEvery = 100 * time.Millisecond

// watchStatus shows the status again and again until ctx ends. What it saw last
// is its error.
func (a *app) watchStatus(ctx context.Context, every time.Duration, asJSON, all bool) error {
	show := a.showChanges()
	if asJSON {
		show = a.showLines
	} else if f, ok := terminalOf(a.out); ok {
		_, _ = io.WriteString(a.out, "\x1b[?1049h\x1b[?25l") // another screen, no cursor
		size := func() (int, int, error) { return term.GetSize(int(f.Fd())) }
		show = func(s agent.Status, err error) error { return a.showFrame(s, err, all, size) }
	}
	quiet := *a // what it could say besides would spoil the screen
	quiet.err = io.Discard
	status, err := quiet.watch(ctx, every, show)
	if _, ok := terminalOf(a.out); ok && !asJSON {
		_, _ = io.WriteString(a.out, "\x1b[?25h\x1b[?1049l")
		if err == nil {
			err = printStatus(a.out, status, all)
		}
	}
	if err != nil {
		return err
	}
	return judge(status)
}

// watch looks until ctx ends, and returns what the last look gave.
func (a *app) watch(ctx context.Context, every time.Duration, show func(agent.Status, error) error) (s agent.Status, err error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var now agent.Status
		failed := a.withViewer(ctx, func(v agent.Viewer) (err error) {
			now, err = v.Status(ctx)
			return err
		})
		if ctx.Err() != nil {
			return s, err
		}
		s, err = now, failed
		if err := show(s, err); err != nil {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, err
		case <-tick.C:
		}
	}
}

// showLines writes each status as one line of JSON.
func (a *app) showLines(s agent.Status, err error) error {
	if err != nil {
		printError(a.err, err)
		return nil
	}
	return json.NewEncoder(a.out).Encode(s)
}

// showFrame draws over what was drawn before.
func (a *app) showFrame(s agent.Status, err error, all bool, size func() (int, int, error)) error {
	var b bytes.Buffer
	if err != nil {
		printError(&b, err)
	} else if err := printStatus(&b, s, all); err != nil {
		return err
	}
	width, height, err := size()
	if err != nil {
		width, height = 80, 24
	}
	_, err = io.WriteString(a.out, frame(b.String(), width, height))
	return err
}

// frame is a text as it fits a terminal, drawn from its corner.
func frame(text string, width, height int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if more := len(lines) - height; more > 0 && height > 0 {
		lines = append(lines[:height-1], fmt.Sprintf("... and %d lines", more+1))
	}
	for i, line := range lines {
		if r := []rune(line); len(r) > width && width > 0 {
			lines[i] = string(r[:width])
		}
	}
	return "\x1b[H" + strings.Join(lines, "\x1b[K\r\n") + "\x1b[K\x1b[J"
}

// requestIDs are those that errors of the cloud end with: every attempt has
// another.
var requestIDs = regexp.MustCompile(` \[request [0-9a-f]+\]`)

// showChanges returns a function that writes a line for each thing that is not
// as it was when it was called before.
func (a *app) showChanges() func(agent.Status, error) error {
	var before []string
	return func(s agent.Status, err error) error {
		now := []string{}
		if err != nil {
			now = append(now, err.Error())
		} else {
			now = facts(s)
		}
		var b bytes.Buffer
		var same []string
		for _, line := range now {
			same = append(same, requestIDs.ReplaceAllString(line, ""))
			if !slices.Contains(before, same[len(same)-1]) {
				fmt.Fprintf(&b, "%s  %s\n", time.Now().Format("15:04:05"), line)
			}
		}
		before = same
		_, err = a.out.Write(b.Bytes())
		return err
	}
}

// facts are the lines of a status, without what changes with the time alone.
func facts(s agent.Status) []string {
	var lines []string
	switch {
	case !s.Live:
		lines = append(lines, "the service is not running")
	case s.Paused != nil:
		lines = append(lines, "paused: everything"+reason(s.Paused))
	case s.Healthy:
		lines = append(lines, "all is well")
	}
	for _, p := range s.Problems() {
		where := p.Scope
		if p.Name != "" {
			where += " " + p.Name
		}
		lines = append(lines, fmt.Sprintf("%s: %s: %s", where, p.Kind, p.Message))
	}
	for _, t := range s.Tables {
		line := fmt.Sprintf("%s  %s  %s here, %s in the cloud", t.Name, condition(t), count(t.LocalRows), count(t.CloudRows))
		if p := t.Progress; p != nil {
			line += fmt.Sprintf(", %s sent", humanize.Comma(p.Sent))
		}
		lines = append(lines, line+"  "+decision(t))
	}
	return lines
}
