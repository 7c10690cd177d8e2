package installer

import (
	"context"
	"errors"
	"time"
)

// StopTime is how long work may take to end when it is asked to. What has not
// ended then is left to the end of the process, so that a stop of the service
// never takes longer than 20 seconds.
const StopTime = 15 * time.Second

// A Manager is whoever runs the service, as its work sees it: it wants to know
// how that goes. In a terminal nobody does.
type Manager interface {
	// Ready tells that the service now does what it is for.
	Ready()
	// Alive tells that the work makes progress. Not having been told for two
	// minutes, systemd starts the service again. It is cheap, and may be called
	// from any goroutine.
	Alive()
}

// Errors of Run, found with errors.Is.
var (
	ErrEnded = errors.New("the service ended without being asked to")
	ErrHangs = errors.New("the service did not end in time")
)

// job is work that runs.
type job struct {
	cancel context.CancelFunc
	ended  chan error // gets one
}

func begin(ctx context.Context, work func(context.Context, Manager) error, m Manager) job {
	ctx, cancel := context.WithCancel(ctx)
	j := job{cancel: cancel, ended: make(chan error, 1)}
	go func() {
		err := work(ctx, m)
		if err == nil && ctx.Err() == nil {
			err = ErrEnded
		}
		j.ended <- err
	}()
	return j
}

// stop asks for the end and waits for it, no longer than StopTime. waiting is
// called every second.
func (j job) stop(waiting func()) error {
	j.cancel()
	timeout, tick := time.NewTimer(StopTime), time.NewTicker(time.Second)
	defer timeout.Stop()
	defer tick.Stop()
	for {
		select {
		case err := <-j.ended:
			return err
		case <-tick.C:
			waiting()
		case <-timeout.C:
			return ErrHangs
		}
	}
}
