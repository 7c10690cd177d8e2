package fleet

import (
	"time"

	"tidemark/cloud/cost"
)

// A budget is what is left of the burst of the database's volume, in words
// and whole operations.
type budget struct {
	Tone, When               string
	Left, Of, Rate, Baseline int64
	Ending                   bool // it is time that somebody acts
}

// budget returns what the instance's model says; nil where there is none.
func (p *Page) budget() *budget {
	if p.config.Balance == nil {
		return nil
	}
	b, ok := p.config.Balance()
	if !ok {
		return nil
	}
	return budgetOf(b)
}

func budgetOf(b cost.Balance) *budget {
	out := &budget{Left: int64(b.Left), Of: int64(b.Credits), Rate: int64(b.Rate()), Baseline: int64(b.Baseline)}
	in, ends := b.Empty()
	switch {
	case out.Of == 0:
		out.When = "The volume has no burst that could run out"
	case !ends:
		out.When, out.Tone = "The burst does not run out as things are", "good"
	case in == 0:
		out.When, out.Tone, out.Ending = "The burst is used up: the volume does its baseline", "bad", true
	default:
		out.When, out.Tone = "The burst runs out in "+duration(max(in, time.Second))+" if things go on", "mild"
		if in < cost.WarnBefore {
			out.Tone, out.Ending = "bad", true
		}
	}
	return out
}
