package cloud

import (
	"context"

	"tidemark/cloud/cost"
	"tidemark/cloud/rollout"
)

// Watched are the figures that a rollout watches: of the server and of what
// its database counts.
type Watched struct {
	Server *Server
	Costs  *cost.Keeper // nil: nothing is counted
}

var _ rollout.Figures = Watched{}

// Figures implements rollout.Figures. What the database has not told lately,
// or does not know, is not in it.
func (w Watched) Figures(context.Context) (rollout.Sample, error) {
	s := w.Server.Figures()
	if w.Costs == nil {
		return s, nil
	}
	if f, ok := w.Costs.Figures(); ok {
		s[rollout.Reads] = f.BlocksRead
		if f.Lag >= 0 {
			s[rollout.Lag] = f.Lag.Seconds()
		}
	}
	return s, nil
}
