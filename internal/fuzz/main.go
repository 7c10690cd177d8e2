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
	"regexp"
	"sort"
	"strings"
	"sync"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.DurationVar(&o.each, "time", 10*time.Second, "time for each target")
	flag.IntVar(&o.n, "n", 0, "executions of each target, in place of a time")
	flag.DurationVar(&o.all, "for", 0, "with -n: what is not done by then ends early, and is no error; 0: none does")
	flag.StringVar(&o.only, "only", ".", "regular expression for package and target: ./internal/wire.FuzzLease")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type options struct {
	each, all time.Duration
	n         int
	only      string
}

func run(ctx context.Context, o options) error {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	all, err := targets(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tidemark-fuzz-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	begun := time.Now()
	if err := build(ctx, dir, all); err != nil {
		return err
	}
	fmt.Printf("%d targets, built in %.0f s\n\n| target | executions | s | inputs kept |\n|---|---:|---:|---:|\n", len(all), time.Since(begun).Seconds())
	begun = time.Now()
	atOnce := 1
	if o.n > 0 {
		atOnce = 2
	}
	work := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	total := 0
	for range atOnce {
		workers.Go(func() {
			for i := range work {
				until := time.Time{}
				if o.n > 0 && o.all > 0 { // what is left, in equal parts
					until = time.Now().Add((o.all - time.Since(begun)) * time.Duration(atOnce) / time.Duration(len(all)-i+atOnce-1))
				}
				r, err := all[i].fuzz(ctx, dir, o, until)
				mu.Lock()
				fmt.Printf("| %s | %d | %.1f | %d |\n", all[i], r.executions, r.took.Seconds(), r.kept)
				total += r.executions
				if err != nil {
					failed = append(failed, fmt.Errorf("%s: %w", all[i], err))
				}
				mu.Unlock()
			}
		})
	}
	for i := range all {
		work <- i
	}
	close(work)
	workers.Wait()
	fmt.Printf("\n%d executions of %d targets in %.0f s, %d failed\n", total, len(all), time.Since(begun).Seconds(), len(failed))
	return errors.Join(failed...)
}

// A target is a fuzz test of a package.
type target struct{ pkg, name string } // pkg: ./internal/wire

func (t target) String() string { return strings.TrimPrefix(t.pkg, "./") + "." + t.name }

func (t target) binary(dir string) string {
	return filepath.Join(dir, strings.ReplaceAll(t.pkg, "/", "_")+".test")
}

var declared = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// targets finds them in the sources below.
func targets(only *regexp.Regexp) (all []target, err error) {
	err = filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			if t := (target{"./" + filepath.ToSlash(filepath.Dir(path)), string(m[1])}); only.MatchString(t.pkg + "." + t.name) {
				all = append(all, t)
			}
		}
		return err
	})
	if err == nil && len(all) == 0 {
		err = errors.New("no targets here: run it in the repository's root")
	}
	sort.Slice(all, func(i, j int) bool { return all[i].String() < all[j].String() })
	return all, err
}

// build makes a test binary of each package.
func build(ctx context.Context, dir string, all []target) error {
	for i, t := range all {
		if i > 0 && all[i-1].pkg == t.pkg {
			continue
		}
		c := exec.CommandContext(ctx, "go", "test", "-c", "-gcflags=tidemark/...=-d=libfuzzer", "-o", t.binary(dir), t.pkg)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s does not build: %s%w", t.pkg, out, err)
		}
	}
	return nil
}
