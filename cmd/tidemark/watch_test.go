package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent"
)

func TestFrame(t *testing.T) {
	for _, test := range []struct {
		text          string
		width, height int
		want          string
	}{
		{"one\ntwo\n", 80, 24, "\x1b[Hone\x1b[K\r\ntwo\x1b[K\x1b[J"},
		{"größer\ntwo\n", 4, 2, "\x1b[Hgröß\x1b[K\r\ntwo\x1b[K\x1b[J"},
		{"1\n2\n3\n4\n", 80, 3, "\x1b[H1\x1b[K\r\n2\x1b[K\r\n... and 2 lines\x1b[K\x1b[J"},
		{"", 80, 24, "\x1b[H\x1b[K\x1b[J"},
	} {
		if diff := cmp.Diff(test.want, frame(test.text, test.width, test.height)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", test.text, diff)
		}
	}
}

// Without a terminal only what has changed is a line, and the time that passes
// is no change.
func TestChanges(t *testing.T) {
	var out bytes.Buffer
	show := (&app{out: &out}).showChanges()
	well, later, moved := toldStatus["well"](), toldStatus["well"](), toldStatus["well"]()
	later.Time = later.Time.Add(90e9)
	moved.Tables[0].CloudRows = rows(1_870)
	for _, step := range []struct {
		s    agent.Status
		err  error
		want []string
	}{
		{s: well, want: []string{"all is well", "dbo.orders  ok  2,001 here, 2,001 in the cloud  skip: unchanged, 7 of 60"}},
		{s: later},
		{s: moved, want: []string{"dbo.orders  ok  2,001 here, 1,870 in the cloud  skip: unchanged, 7 of 60"}},
		{err: errors.New("no answer"), want: []string{"no answer"}},
		{err: errors.New("no answer")},
		{err: errors.New("too much at once (503) [request 3f0c8a51d2b94e67]"), want: []string{"too much at once (503) [request 3f0c8a51d2b94e67]"}},
		{err: errors.New("too much at once (503) [request 90aa8a51d2b94e67]")},
		{s: toldStatus["ill"](), want: []string{
			"source main: ceiling: an open transaction holds changes back",
			"table dbo.lines: approval: 40,000 deletes wait for a person",
			"dbo.orders  ok  2,001 here, 2,001 in the cloud  skip: unchanged, 7 of 60",
			"dbo.big  first load 40%  ? here, ? in the cloud, 350,000 sent  upload: first load",
			"dbo.lines  waiting  0 here, 40,000 in the cloud  none yet; 40,000 deletes wait for `tidemark approve dbo.lines`; 3 rows in quarantine",
			"dbo.still  paused  2,001 here, 2,001 in the cloud  skip: unchanged, 7 of 60",
		}},
	} {
		out.Reset()
		if err := show(step.s, step.err); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.TrimRight(line[len("15:04:05  "):], "\n"))
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}
