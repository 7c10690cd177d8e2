//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// errFound says that the soak has found something; the report tells what.
var errFound = errors.New("something was found")

// run is the whole soak: a calm first load, load and faults, calm.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	w, err := openWorld(ctx, o)
	if err != nil {
		return err
	}
	failed := true
	defer func() {
		if failed || o.keep {
			fmt.Fprintln(out, "logs are kept in", w.dir)
		}
		err = errors.Join(err, w.close(failed || o.keep))
	}()
	r := &report{options: o, world: w, tally: &tally{out: out, began: time.Now(), count: map[string]int{}}}
	if _, r.firstLoad, err = w.settled(ctx, o.tables()); err != nil {
		return fmt.Errorf("before anything is broken: %w", err)
	}
	if err := until(ctx, "the base is measured", func(ctx context.Context) (err error) {
		r.base, err = w.measure(ctx)
		return err
	}); err != nil {
		return err
	}
	watching, endWatch := context.WithCancel(ctx)
	defer endWatch()
	watched, watching := errgroup.WithContext(watching)
	watched.Go(func() error { r.peak.watch(watching, w); return nil })
	watched.Go(func() error { return w.guard.run(watching, 2*time.Second) })

	if _, err := w.source.ask(order{Write: &load{Writers: o.writers(), Wait: o.wait(), Seed: o.seed}}); err != nil {
		return err
	}
	r.tally.began = time.Now()
	if o.short {
		err = w.few(ctx, r.tally)
	} else {
		err = w.many(ctx, o, r.tally)
	}
	r.broken = time.Since(r.tally.began)
	d, restErr := w.source.ask(order{Rest: true})
	w.guard.finish(d.Page)
	if err = errors.Join(err, restErr, ctx.Err()); err != nil {
		return err
	}
	fmt.Fprintln(out, "faults and writers have ended; waiting until both sides are equal")
	if r.rows, r.caughtUp, err = w.settled(ctx, o.tables()); err != nil {
		r.found = append(r.found, err.Error())
	}
	if r.found == nil {
		if err := until(ctx, "everything is back to its base", func(ctx context.Context) (err error) {
			if r.end, err = w.measure(ctx); err == nil {
				err = r.end.within(r.base)
			}
			return err
		}); err != nil {
			r.found = append(r.found, err.Error())
		}
	}
	endWatch()
	if err := watched.Wait(); err != nil {
		return err
	}
	r.conclude()
	failed = len(r.found) > 0
	if err := r.write(out); err != nil || !failed {
		return err
	}
	return errFound
}

func (o options) writers() int {
	if o.short {
		return 2
	}
	return 6
}

func (o options) wait() time.Duration {
	if o.short {
		return 100 * time.Millisecond
	}
	return 150 * time.Millisecond
}

// many breaks everything at random, several things at once.
func (w *world) many(ctx context.Context, o options, t *tally) error {
	ctx, cancel := context.WithTimeout(ctx, o.length)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range []plague{
		{every: 9 * time.Second, lasts: time.Second, faults: w.kills()},
		{every: 15 * time.Second, lasts: 8 * time.Second, faults: w.storms()},
		{every: 30 * time.Second, lasts: 10 * time.Second, faults: w.links()},
		{every: 40 * time.Second, lasts: 10 * time.Second, faults: w.floods()},
	} {
		if len(p.faults) > 0 {
			group.Go(func() error { return p.run(ctx, rand.New(rand.NewPCG(o.seed, uint64(i))), t) }) //nolint:gosec // a seed
		}
	}
	return group.Wait()
}

// few breaks one thing after the other. The agent has come through between
// two of them, however long that takes.
func (w *world) few(ctx context.Context, t *tally) error {
	kills, storms := w.kills(), w.storms()
	for _, f := range []fault{kills[0], kills[1], kills[2], storms[0], kills[3], storms[3], storms[5]} {
		did, err := f.do(ctx, 2*time.Second)
		if err != nil {
			return err
		}
		if did {
			t.add(f.name)
		}
		if err := w.through(ctx, tables[0]); err != nil {
			return err
		}
	}
	return nil
}

// through waits until the cloud has a change of a table that was made from now
// on.
func (w *world) through(ctx context.Context, t table) error {
	d, err := w.source.ask(order{Rows: t.name})
	if err != nil {
		return err
	}
	want := highest(d.Rows) + 1
	return until(ctx, "changes come through", func(ctx context.Context) error {
		rows, err := w.cloud.rows(ctx, t)
		if is := highest(rows); err == nil && is < want {
			err = fmt.Errorf("the cloud is at %d, and not at %d", is, want)
		}
		return err
	})
}

// highest is the highest row version of rows.
func highest(rows map[string]string) (most uint64) {
	for _, row := range rows {
		v, _ := strconv.ParseUint(row[strings.LastIndexByte(row, ' ')+1:], 10, 64) // written by ourselves
		most = max(most, v)
	}
	return most
}
