package cloud

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

// An Archivist removes what was recorded of operators' changes too long ago.
// Several may work on one store.
type Archivist struct {
	Store Control
	Keep  time.Duration // 0: for ever
	Log   *zap.Logger   // nil: none
}

// Paces of the archivist.
const (
	archiveEvery = 6 * time.Hour
	archiveStep  = 500 // entries in one transaction
	archiveTime  = time.Minute
)

// Run works until ctx ends.
func (a *Archivist) Run(ctx context.Context) {
	if a.Keep == 0 {
		return
	}
	// Servers that began together do not keep step.
	for wait := rand.N(archiveEvery / 6); ; wait = archiveEvery {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		if err := a.once(ctx); err != nil && ctx.Err() == nil && a.Log != nil {
			a.Log.Warn("old records of changes cannot be removed", zap.Error(err))
		}
	}
}

func (a *Archivist) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, archiveTime)
	defer cancel()
	before := time.Now().Add(-a.Keep)
	for {
		n, err := a.Store.DropRecorded(ctx, before, archiveStep)
		if err != nil || n < archiveStep {
			return err
		}
	}
}
