package installer

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Run runs work until it ends, or until the service manager or, in a terminal,
// an interrupt asks for its end by ending its ctx. Work that ends without being
// asked to is ErrEnded, if it knows no error of its own; the manager is told
// that the service failed, so that its recovery starts it again.
func Run(ctx context.Context, work func(context.Context, Manager) error) error {
	h := &handler{ctx: ctx, work: work, ready: make(chan struct{}, 1)}
	// The manager itself knows best whether it started this process: what the
	// process' session and parent look like differs between systems.
	err := svc.Run("", h)
	switch {
	case errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT):
		return inTerminal(ctx, work)
	case err != nil:
		return err
	}
	return h.err
}

func inTerminal(ctx context.Context, work func(context.Context, Manager) error) error {
	asked, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	j := begin(ctx, work, nobody{})
	defer j.cancel()
	select {
	case err := <-j.ended:
		return err
	case <-asked.Done():
		return j.stop(func() {})
	}
}

// nobody is the Manager in a terminal.
type nobody struct{}

func (nobody) Ready() {}
func (nobody) Alive() {}

// handler is the service as the manager's dispatcher knows it.
type handler struct {
	ctx   context.Context
	work  func(context.Context, Manager) error
	ready chan struct{} // buffered
	err   error         // how it ended
}

// Ready implements Manager.
func (h *handler) Ready() {
	select {
	case h.ready <- struct{}{}:
	default:
	}
}

// Alive implements Manager. This one has no watchdog.
func (h *handler) Alive() {}

// The manager gives up on a service that is starting or stopping when it hears
// nothing for this long.
const waitHint = uint32(30 * time.Second / time.Millisecond)

// Execute implements svc.Handler.
func (h *handler) Execute(args []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	const accepts = svc.AcceptStop | svc.AcceptShutdown
	status <- svc.Status{State: svc.StartPending, WaitHint: waitHint}
	j := begin(h.ctx, h.work, h)
	defer j.cancel()
	starting := time.NewTicker(5 * time.Second)
	defer starting.Stop()
	began := uint32(0)
	for {
		select {
		case <-starting.C:
			began++
			status <- svc.Status{State: svc.StartPending, CheckPoint: began, WaitHint: waitHint}
		case <-h.ready:
			starting.Stop()
			status <- svc.Status{State: svc.Running, Accepts: accepts}
		case h.err = <-j.ended:
			logFailure(args, h.err)
			return true, 1 // with the flag that Repair sets, the manager starts it again
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				checkpoint := uint32(1)
				tell := func() {
					status <- svc.Status{State: svc.StopPending, CheckPoint: checkpoint, WaitHint: waitHint}
					checkpoint++
				}
				tell()
				if h.err = j.stop(tell); h.err != nil {
					logFailure(args, h.err)
				}
				return false, 0 // it was asked for: nothing to recover from
			}
		}
	}
}

// logFailure writes to the event log, the only place that a person looks at
// when a service does not start. args[0] is the service's name.
func logFailure(args []string, err error) {
	if len(args) == 0 || errors.Is(err, context.Canceled) {
		return
	}
	log, openErr := eventlog.Open(args[0])
	if openErr != nil {
		return // the agent's own log has it
	}
	defer func() { _ = log.Close() }()
	_ = log.Error(eventFailed, err.Error())
}

// eventFailed is the number of the event.
const eventFailed = 1
