package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// diffOptions are what the benchmark of comparisons measures.
type diffOptions struct {
	sizes  []int
	wal    int // rows of the table whose WAL is measured; 0: none
	repeat int // of the comparison of equal sides
	scenes []string
	keep   bool
}

func parseDiff(args []string) (o diffOptions, err error) {
	f := flag.NewFlagSet("bench diff", flag.ContinueOnError)
	sizes := f.String("n", "100000,1000000,10000000", "rows of the tables, with commas between")
	f.IntVar(&o.wal, "wal", 1_000_000, "rows of the table whose write-ahead log is measured; 0 for none")
	f.IntVar(&o.repeat, "repeat", 3, "comparisons of equal sides, of which the median counts")
	only := f.String("scenes", "all", `differences to plant, by name with commas between ("10 % scattered,1 stale"), or none`)
	f.BoolVar(&o.keep, "keep", false, "keep the directory of the run, with the built programs")
	quick := f.Bool("quick", false, "100,000 rows alone")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		*sizes, o.wal = "100000", 100_000
	}
	if o.scenes = strings.Split(*only, ","); *only == "all" {
		o.scenes = nil
	}
	if *sizes != "" {
		for _, text := range strings.Split(*sizes, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 20_000 || n > 1_000_000_000 {
				return o, fmt.Errorf("-n: %q is not a number from 20,000 to 1,000,000,000", text)
			}
			o.sizes = append(o.sizes, n)
		}
	}
	if o.repeat < 1 || o.wal < 0 {
		return o, errors.New("-repeat is over 0 and -wal not negative")
	}
	return o, nil
}

// measureDiff measures comparisons.
func measureDiff(ctx context.Context, args []string) (err error) {
	o, err := parseDiff(args)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, options{keep: o.keep})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r := &diffReport{}
	defer func() { r.print(os.Stdout) }()
	for _, n := range o.sizes {
		if err := b.diffAt(ctx, n, o, r); err != nil {
			return fmt.Errorf("at %d rows: %w", n, err)
		}
	}
	if o.wal > 0 {
		return b.measureWAL(ctx, o.wal, r)
	}
	return nil
}

// diffAt measures all comparisons of one size.
func (b *bench) diffAt(ctx context.Context, n int, o diffOptions, r *diffReport) (err error) {
	note("filling the source with %d rows", n)
	s, err := b.newDiffSite(ctx, n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	size := &sizeReport{rows: n, loaded: s.loaded}
	r.sizes = append(r.sizes, size)
	for i := range o.repeat {
		note("reading keys, comparing equal sides: %d of %d", i+1, o.repeat)
		d, err := drain(ctx, roleKeys, s.source.dsn, diffTable)
		if err != nil {
			return err
		}
		if d.Rows != n {
			return fmt.Errorf("read %d keys", d.Rows)
		}
		c, err := s.equal(ctx)
		if err != nil {
			return err
		}
		size.alone, size.equal = append(size.alone, d), append(size.equal, c)
	}
	size.add("0", wayOfEqual, size.equal[len(size.equal)-1])
	if o.scenes == nil {
		if err := s.manifests(ctx, size, "0"); err != nil {
			return err
		}
	}
	for _, sc := range scenes(n) {
		if o.scenes != nil && !slices.Contains(o.scenes, sc.name) {
			continue
		}
		begin := time.Now()
		if err := s.scene(ctx, size, sc); err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		note("%s differences: %s", sc.name, time.Since(begin).Round(time.Second))
	}
	return nil
}

// equal compares equal sides.
func (s *diffSite) equal(ctx context.Context) (compared, error) {
	if err := s.vacuum(ctx); err != nil {
		return compared{}, err
	}
	c, err := s.compare(ctx, false)
	if err == nil && (!c.Same || c.Before != c.After || c.Manifest != "") {
		err = fmt.Errorf("equal sides: %+v", c.DiffReport)
	}
	return c, err
}
