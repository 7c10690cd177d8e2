package installer

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/kardianos/service"
)

// StopTime is how long work may take to end when it is asked to.
const StopTime = 20 * time.Second

// Run runs work until it ends, or until the service manager or, in a
// terminal, an interrupt asks for its end by ending its ctx.
//
// As a Windows service the manager believes the service to be running for as
// long as the process lives, whatever became of the work. exit, which must end
// the process with a code other than 0, is therefore called when work ends
// without being asked to, so that the manager's recovery starts it again, and
// when it does not end within StopTime.
func Run(ctx context.Context, work func(context.Context) error, exit func(error)) error {
	if runtime.GOOS != "windows" || service.Interactive() {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		return work(ctx)
	}
	p := &program{ctx: ctx, work: work, exit: exit}
	m, err := service.New(p, settings(Options{Name: DefaultName}, ""))
	if err != nil {
		return err
	}
	return m.Run()
}

// program is what the service manager starts and stops.
type program struct {
	ctx    context.Context
	work   func(context.Context) error
	exit   func(error)
	cancel context.CancelFunc
	ended  chan error
}

// Start implements service.Interface. It returns at once.
func (p *program) Start(service.Service) error {
	ctx, cancel := context.WithCancel(p.ctx)
	p.cancel, p.ended = cancel, make(chan error, 1)
	go func() {
		err := p.work(ctx)
		if ctx.Err() == nil {
			p.exit(err)
		}
		p.ended <- err
	}()
	return nil
}

// Stop implements service.Interface. The manager waits for it.
func (p *program) Stop(service.Service) error {
	p.cancel()
	timeout := time.NewTimer(StopTime)
	defer timeout.Stop()
	select {
	case err := <-p.ended:
		return err
	case <-timeout.C:
		p.exit(context.DeadlineExceeded)
		return context.DeadlineExceeded
	}
}

// Shutdown implements service.Shutdowner: the machine goes down.
func (p *program) Shutdown(s service.Service) error { return p.Stop(s) }
