package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A report is a table of figures, some of which have a goal.
type report struct {
	lines []line
}

type line struct {
	what, figure string
	ratio        string // of what the goal is about; "" where there is none
	goal         string
	met          bool
}

// add takes a figure without a goal.
func (r *report) add(what, format string, args ...any) {
	r.lines = append(r.lines, line{what: what, figure: fmt.Sprintf(format, args...)})
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s\n\n", machine(), runtime.Version(), time.Now().UTC().Format(time.DateOnly))
	r.table(w)
}

func (r *report) table(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "what\tfigure\tratio\tgoal\t")
	for _, l := range r.lines {
		verdict := ""
		switch {
		case l.goal == "":
		case l.met:
			verdict = "met"
		default:
			verdict = "MISSED"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.what, l.figure, l.ratio, l.goal, verdict)
	}
	_ = t.Flush() // writes to the terminal
}

// machine is what the figures depend on.
func machine() string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if name := field(text, "model name"); name != "" {
			parts[0] += " of " + name
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if kib, err := strconv.Atoi(strings.TrimSuffix(field(text, "MemTotal"), " kB")); err == nil {
			parts = append(parts, fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20)))
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		release, _, _ := strings.Cut(strings.TrimSpace(string(text)), "-")
		parts = append(parts, runtime.GOOS+" "+release)
	}
	return strings.Join(parts, ", ")
}

// field is the value of a line "name : value".
func field(text []byte, name string) string {
	for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
		if key, value, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// median of an odd or even number of values.
func median[T int64 | float64 | time.Duration](values []T) T {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// each picks one figure of every round.
func each[R any, T any](rounds []R, pick func(R) T) []T {
	all := make([]T, len(rounds))
	for i, r := range rounds {
		all[i] = pick(r)
	}
	return all
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
