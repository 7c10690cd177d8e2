// Command traffic measures tidemark-traffic on one machine: a generated log of
// an application load balancer, parsed, and delivered to a local HTTP endpoint
// beside `zcat FILE | jq -R` on the same file; and requests recorded against
// one installation of the API, and replayed to another.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

// The goals.
const (
	mostOfJQ     = 0.25     // of the time of zcat | jq
	mostPeak     = 64 << 20 // bytes resident
	leastParsing = 200e6    // bytes a second, on one core
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	lines := flag.Int("lines", 300_000, "lines of the log")
	rounds := flag.Int("rounds", 5, "rounds, of which the median counts")
	requests := flag.Int("requests", 100_000, "requests to record and replay; 0: none")
	flag.Parse()
	if err := measure(ctx, *lines, *rounds, *requests); err != nil {
		fmt.Fprintln(os.Stderr, "traffic:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, lines, rounds, requests int) (err error) {
	if _, err := exec.LookPath("jq"); err != nil {
		return fmt.Errorf("%w: apt-get install jq", err)
	}
	dir, err := os.MkdirTemp("", "tidemark-traffic")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, "tidemark-traffic")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "./cmd/tidemark-traffic", "./cmd/tidemark-cloud")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	log := filepath.Join(dir, "alb.log.gz")
	plain, zipped, err := generate(log, lines)
	if err != nil {
		return err
	}
	fmt.Printf("a log of %d lines: %.1f MB, %.1f MB compressed\n", lines, float64(plain)/1e6, float64(zipped)/1e6)
	var jq, ours, zippedOurs []time.Duration
	var peak int64
	for range rounds { // in turn: what else the machine does is in all of them
		took, err := runJQ(ctx, log)
		if err != nil {
			return err
		}
		jq = append(jq, took)
		for _, way := range []struct {
			gzip  bool
			times *[]time.Duration
		}{{false, &ours}, {true, &zippedOurs}} {
			took, most, err := runShip(ctx, program, dir, log, lines, way.gzip)
			if err != nil {
				return err
			}
			*way.times = append(*way.times, took)
			peak = max(peak, most)
		}
	}
	base := median(jq)
	fmt.Printf("  zcat | jq -R: %.2f s (median of %d)\n", base.Seconds(), rounds)
	ratio := median(ours).Seconds() / base.Seconds()
	verdict("ship", fmt.Sprintf("%.2f s, %.2f of it", median(ours).Seconds(), ratio), "at most 0.25", ratio <= mostOfJQ)
	fmt.Printf("  ship --gzip: %.2f s, %.2f of it\n", median(zippedOurs).Seconds(), median(zippedOurs).Seconds()/base.Seconds())
	verdict("its peak memory", fmt.Sprintf("%.1f MiB", float64(peak)/(1<<20)), "under 64 MiB", peak < mostPeak)
	// After those: a program's peak is at least that of the process that started it.
	speed, err := parseSpeed(log, plain)
	if err != nil {
		return err
	}
	verdict("parsing alone, one core", fmt.Sprintf("%.0f MB/s", speed/1e6), "at least 200 MB/s", speed >= leastParsing)
	if requests == 0 {
		return nil
	}
	return measureReplay(ctx, dir, requests)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func verdict(what, figure, goal string, met bool) {
	word := "met"
	if !met {
		word = "MISSED"
	}
	fmt.Printf("  %s: %s (goal: %s, %s)\n", what, figure, goal, word)
}
