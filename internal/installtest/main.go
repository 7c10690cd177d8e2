// Command installtest installs what is released on whole systems and goes
// through a site's life on them: make test-install, make test-wine.
//
//	installtest possible          is this a machine for the next one? 75 says that it is not, and why
//	installtest debian OLD NEW    folders with a deb and a tar.gz of two versions
//	installtest wine OLD NEW      folders with a zip and an MSI of two versions
//
// The SQL Server stand-in and the cloud's API run in this process, on the
// loopback, which the systems share.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// patience is how long the whole may take.
const patience = 30 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		if errors.Is(err, errImpossible) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(impossible)
		}
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) == 1 && args[0] == "possible" {
		return possible(ctx)
	}
	if len(args) != 3 {
		return errors.New("usage: installtest possible, or debian|wine OLD NEW")
	}
	tests := map[string]func(context.Context, *site, string, string) error{"debian": debian, "wine": wine}
	test := tests[args[0]]
	if test == nil {
		return fmt.Errorf("no test %q", args[0])
	}
	s, err := openSite(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	began := time.Now()
	if err := test(ctx, s, args[1], args[2]); err != nil {
		return err
	}
	fmt.Printf("PASS: %s, in %s\n", args[0], time.Since(began).Round(time.Second))
	return nil
}

// A plan is a list of steps, each of which needs those before.
type plan []step

type step struct {
	name string
	do   func(context.Context) error
}

func (p plan) run(ctx context.Context) error {
	for _, s := range p {
		began := time.Now()
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Printf("ok  %-60s %6.1fs\n", s.name, time.Since(began).Seconds())
	}
	return nil
}

// until waits for what becomes so.
func until(ctx context.Context, limit time.Duration, what string, holds func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for {
		ok, err := holds(ctx)
		if ok {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %s in vain for %s: %w", limit, what, errors.Join(last, context.Cause(ctx)))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
