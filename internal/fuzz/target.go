package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// patience is how long a target may take to end when it is asked to, beyond
// which it hangs: an input that takes so long is a finding too.
const patience = 2 * time.Minute

type result struct {
	executions, kept int
	took             time.Duration
}

var progress = regexp.MustCompile(`execs: (\d+) .*new interesting: (\d+)`)

// fuzz runs a target; until, if it is set, is when it is asked to end.
func (t target) fuzz(ctx context.Context, dir string, o options, until time.Time) (r result, err error) {
	args := []string{"-test.run", "^$", "-test.fuzz", "^" + t.name + "$", "-test.fuzzcachedir", t.binary(dir) + ".cache",
		"-test.fuzzminimizetime", "1s", "-test.timeout", "0", "-test.fuzztime"}
	if o.n > 0 {
		args = append(args, fmt.Sprint(o.n)+"x", "-test.parallel", "1")
	} else {
		args = append(args, o.each.String())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !until.IsZero() {
		end := time.AfterFunc(time.Until(until), cancel)
		defer end.Stop()
	}
	c := exec.CommandContext(ctx, t.binary(dir), args...)
	c.Dir = t.pkg
	c.Env = os.Environ()
	if o.n > 0 {
		c.Env = append(c.Env, "GODEBUG=fuzzseed=1")
	}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // then it tells how far it came
	c.WaitDelay = patience
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	begun := time.Now()
	err = c.Run()
	r.took = time.Since(begun)
	for _, m := range progress.FindAllSubmatch(out.Bytes(), -1) {
		r.executions, _ = strconv.Atoi(string(m[1]))
		r.kept, _ = strconv.Atoi(string(m[2]))
	}
	switch {
	case errors.Is(err, exec.ErrWaitDelay) || err != nil && !c.ProcessState.Exited():
		return r, fmt.Errorf("it hangs: %s", out.Bytes())
	case bytes.Contains(out.Bytes(), []byte("--- FAIL")), err != nil && ctx.Err() == nil:
		return r, fmt.Errorf("%w\n%s", err, out.Bytes())
	}
	return r, nil
}
