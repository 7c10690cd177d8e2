//go:build !windows

package installer

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Run runs work until it ends, or until the service manager or, in a terminal,
// an interrupt asks for its end by ending its ctx. Work that ends without being
// asked to is ErrEnded, if it knows no error of its own.
func Run(ctx context.Context, work func(context.Context, Manager) error) error {
	asked, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	m := newNotifier(os.Getenv)
	j := begin(ctx, work, m)
	defer j.cancel()
	select {
	case err := <-j.ended:
		return err
	case <-asked.Done():
		m.notify("STOPPING=1")
		return j.stop(func() {})
	}
}
