package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// perSecond bounds the lines printed in a second.
const perSecond = 8

// lines prints the run as text, a line for each act of the writer and each
// decision of the agent that did something.
type lines struct {
	d   *demo
	out io.Writer
}

func (l *lines) run(ctx context.Context) error {
	f := l.d.heading()
	if _, err := fmt.Fprintf(l.out, `Tidemark demo: rows change in a database and arrive in the cloud
  source  SQL Server stand-in at %s
  cloud   API at %s, over SQLite
  files   %s
  writer  about %s a second, seed %d

`, f.source, f.cloud, f.files(), count(f.rate, "row"), l.d.seed); err != nil {
		return err
	}
	next, second, printed, left := 0, time.Now(), 0, 0
	for going := true; going; {
		going = pause(ctx, refresh/2)
		if time.Since(second) >= time.Second || !going {
			if left > 0 {
				if _, err := fmt.Fprintf(l.out, "%15s  ... and %s\n", "", count(left, "more line")); err != nil {
					return err
				}
			}
			second, printed, left = time.Now(), 0, 0
		}
		var events []event
		events, next = l.d.feed.since(next)
		for _, e := range events {
			if printed >= perSecond && !e.bad && e.who != "demo" {
				left++
				continue
			}
			printed++
			if _, err := fmt.Fprintf(l.out, "%7s  %-6s  %s\n", seconds(e.at), e.who, e.text); err != nil {
				return err
			}
		}
	}
	return nil
}
