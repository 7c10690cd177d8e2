package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func aFrame() frame {
	return frame{
		source: "127.0.0.1:41231, database shop", cloud: "http://127.0.0.1:38311", dir: "/tmp/tidemark-demo-1",
		phase: phaseWriting, elapsed: 12345 * time.Millisecond, length: 20 * time.Second, rate: 20,
		tables: []tableLine{
			{name: "orders", here: 2021, cloud: 2013, lag: 3210 * time.Millisecond, batches: 14, action: "nothing", reason: "2,021 rows here, 2,013 in the cloud, while a transaction is open: they come when it ends"},
			{name: "customers", here: 300, cloud: 300, batches: 1, action: "skip", reason: "unchanged, 2 of 5"},
			{name: "stock", here: 400, cloud: -1, lag: 1500 * time.Millisecond},
			{name: "settings", here: 40, cloud: 40, batches: 1, action: "diff", reason: "scheduled check, every 4s", failed: true},
		},
		held:     &heldLine{ceiling: 4747, waiting: 35, since: 1700 * time.Millisecond},
		problems: []string{"table settings: lock request time out period exceeded"},
		events: []event{
			{900 * time.Millisecond, "agent", "orders upload, 2,000 new: first load: the cloud has nothing", false},
			{8200 * time.Millisecond, "writer", "opened a transaction with 8 new orders, for 4s", false},
			{11900 * time.Millisecond, "agent", "settings diff failed: lock request time out period exceeded (scheduled check, every 4s)", true},
			{12300 * time.Millisecond, "demo", "the writer has stopped, the agent catches up", false},
		},
	}
}

func TestRender(t *testing.T) {
	other := aFrame()
	other.held, other.problems, other.kept, other.length = nil, nil, true, 0
	for _, tt := range []struct {
		name          string
		frame         frame
		width, height int
		colours       bool
	}{
		{"narrow", aFrame(), 80, 23, false},
		{"wide", aFrame(), 120, 39, false},
		{"calm", other, 120, 39, false},
		{"colours", aFrame(), 120, 39, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(render(tt.frame, tt.width, tt.height, tt.colours), "\n") + "\n"
			golden := filepath.Join("testdata", tt.name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("other than %s (-want +got):\n%s", golden, d)
			}
		})
	}
}

// A frame that is larger than the terminal would scroll it at every refresh.
func TestRenderFits(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9]+m")
	f := aFrame()
	for len(f.events) < 100 {
		f.events = append(f.events, f.events[2])
	}
	for width := 20; width <= 200; width += 3 {
		for height := 9; height <= 60; height += 5 {
			rows := render(f, width, height, true)
			if len(rows) > height {
				t.Fatalf("%d lines in %d", len(rows), height)
			}
			for _, r := range rows {
				if n := utf8.RuneCountInString(escapes.ReplaceAllString(r, "")); n > width {
					t.Fatalf("%d characters in %d: %q", n, width, r)
				}
			}
		}
	}
}
