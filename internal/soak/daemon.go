//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// again is how soon a daemon that has ended is started again.
const again = time.Second

// A daemon is a process that is started again whenever it ends, by a service
// manager that knows no more than that.
type daemon struct {
	name  string
	build func(context.Context) *exec.Cmd
	out   io.Writer // standard output and error
	// may tells whether an end that the soak did not bring about is as it
	// should be; nil: never.
	may func(*os.ProcessState) bool

	mu     sync.Mutex
	cmd    *exec.Cmd
	killed bool // the next end is the soak's doing
	ended  int
	odd    []string // ends that nobody wanted
	stop   context.CancelFunc
	gone   chan struct{}
}

// start starts it and keeps it running until end.
func (d *daemon) start() {
	ctx, cancel := context.WithCancel(context.Background())
	d.stop, d.gone = cancel, make(chan struct{})
	go func() {
		defer close(d.gone)
		for ctx.Err() == nil {
			d.once(ctx)
			pause(ctx, again)
		}
	}()
}

func (d *daemon) once(ctx context.Context) {
	cmd := d.build(context.WithoutCancel(ctx))
	cmd.Stdout, cmd.Stderr = d.out, d.out
	d.mu.Lock()
	if ctx.Err() != nil {
		d.mu.Unlock()
		return
	}
	d.killed = false
	err := cmd.Start()
	if err == nil {
		d.cmd = cmd
	}
	d.mu.Unlock()
	if err == nil {
		_ = cmd.Wait() // its state tells
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cmd = nil
	d.ended++
	switch {
	case err != nil:
		d.odd = append(d.odd, fmt.Sprintf("%s does not start: %v", d.name, err))
	case !d.killed && (d.may == nil || !d.may(cmd.ProcessState)):
		d.odd = append(d.odd, fmt.Sprintf("%s ended by itself at %s: %s", d.name, time.Now().Format(time.TimeOnly), cmd.ProcessState))
	}
}

// signal sends a signal that ends it; false where it is not running.
func (d *daemon) signal(s syscall.Signal) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil || d.cmd.Process.Signal(s) != nil {
		return false
	}
	d.killed = true
	return true
}

// pid is 0 where it is not running.
func (d *daemon) pid() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		return 0
	}
	return d.cmd.Process.Pid
}

// strange are the ends that nobody wanted.
func (d *daemon) strange() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.odd
}

// end ends it for good: as a service manager does, and by force where that
// takes longer than limit, which is an error.
func (d *daemon) end(s syscall.Signal, limit time.Duration) error {
	if d.gone == nil {
		return nil
	}
	d.mu.Lock()
	d.stop()
	d.mu.Unlock()
	d.signal(s)
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-d.gone:
		return nil
	case <-t.C:
		d.signal(syscall.SIGKILL)
		<-d.gone
		return errors.New(d.name + " did not end within " + limit.String())
	}
}

// command is a command that does not outlive the soak, nor hears its Ctrl-C.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}
