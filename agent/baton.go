package agent

import "context"

// A baton is held by one at a time, over questions to source and cloud: unlike
// a mutex it is waited for with a context.
type baton chan struct{}

func newBaton() baton { return make(baton, 1) }

func (b baton) take(ctx context.Context) error {
	select {
	case b <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b baton) give() { <-b }
