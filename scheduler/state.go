package scheduler

import "time"

// A State is what has to be remembered of a table between cycles. Losing it
// costs a question to the cloud and one comparison: the zero State is valid.
type State struct {
	SinceSync int       `json:"since_sync"`        // evaluations since the last sync
	Skips     int       `json:"skips"`             // skips in a row by rule 3
	FirstSync bool      `json:"first_sync"`        // the first sync is complete
	Open      bool      `json:"open,omitempty"`    // an upload or a diff was begun and has not ended well
	Fresh     bool      `json:"fresh,omitempty"`   // the load under way went into an empty table
	Owed      bool      `json:"owed,omitempty"`    // the diff behind a new epoch has not been done
	Synced    Version   `json:"synced"`            // the local version when both sides were last equal
	Drift     int64     `json:"drift,omitempty"`   // exact count - cheap count, when last counted
	Verified  time.Time `json:"verified,omitzero"` // last comparison, or end of the load into an empty table
	Counted   time.Time `json:"counted,omitzero"`  // last exact count
}

// Outcome says how far the work of a decision has come.
type Outcome string

// The outcomes. Skip and Nothing are Done by being decided.
const (
	Begun  Outcome = "begun" // save it before a load or a diff begins, so that a kill does not forget it
	Failed Outcome = "failed"
	Done   Outcome = "done"
)

// far stops the counters from running over in a table that is never synced.
const far = 1 << 30

// Next returns the state after a decision. Call it for the decision that ends
// the cycle and for every upload; for a decision that asks for a fact only
// when the fact could not be had (Failed). It is pure.
func Next(in Input, d Decision, o Outcome) State {
	s := in.State
	switch {
	case d.Action == Upload:
		return s.uploaded(in, d, o)
	case d.Action == Diff && o == Begun:
		s.Open = true
	case d.Action == Diff && o == Done:
		s = s.counted(in)
		s.SinceSync, s.Skips = 0, 0
		s.Open, s.Owed, s.Fresh, s.FirstSync = false, false, false, true
		s.Verified = wall(in.Now)
		s.Synced = *in.Local
	case d.Action == Diff:
		s.Open = true
		s.evaluated(in)
	case d.Action == Nothing:
		s = s.counted(in).rested(in, d)
	case d.Action == Skip || o == Failed:
		if d.Rule == 3 && d.Action == Skip {
			s.Skips++
		}
		s.evaluated(in)
	}
	return s
}

func (s State) uploaded(in Input, d Decision, o Outcome) State {
	s.Open = true // until the cycle that it belongs to has ended well
	switch o {
	case Begun:
		switch {
		case d.Upload == FirstLoad && in.Cloud.Rows == 0:
			s.Fresh = true
		case d.Upload == FirstLoad || d.Upload == NewEpoch:
			s.Fresh, s.Owed = false, true
		}
	case Failed:
		s.evaluated(in)
	case Done:
		if d.Upload != Delta {
			s.FirstSync = true
			if s.Fresh {
				s.Verified = wall(in.Now)
			}
			s.Fresh = false
		}
	}
	return s
}

// rested ends a cycle that found nothing to do, or nothing more.
func (s State) rested(in Input, d Decision) State {
	s.Open = false
	s.evaluated(in)
	if in.Cloud.doubted() {
		s.Skips++ // as little was heard of the cloud as in a skip
	} else {
		s.Skips = 0
	}
	if in.Uploaded {
		s.SinceSync = 0
	}
	switch d.Rule {
	case 5, 6: // the load is not whole
		s.FirstSync, s.Open = false, true
	case 7: // rows came while it ran: the next cycle fetches them at once
		s.Open = true
	case 11:
		s.FirstSync, s.Synced = true, *in.Local
	}
	return s
}

// evaluated counts the evaluation once per cycle: an upload before this
// decision has set the count anew.
func (s *State) evaluated(in Input) {
	if !in.Uploaded {
		s.SinceSync = min(s.SinceSync+1, far)
	}
}

// counted remembers what the exact count taught about the cheap one: nothing
// while a transaction may be open, whose rows one of them counts and the other
// does not.
func (s State) counted(in Input) State {
	if in.Count == nil {
		return s
	}
	s.Counted = wall(in.Now)
	if in.Count.Cheap >= 0 && !in.Unsettled {
		s.Drift = in.Count.Rows - in.Count.Cheap
	}
	return s
}

// due reports whether the period has passed since t. A mark that lies more
// than a period in the future was made by a clock that was wrong.
func due(now, t time.Time, period time.Duration) bool {
	if period <= 0 {
		return false
	}
	gone := wall(now).Sub(wall(t))
	return t.IsZero() || gone >= period || gone <= -period
}

// wall drops the monotonic reading, which JSON would lose.
func wall(t time.Time) time.Time { return t.Round(0) }

// RestFactor is how many times its own length a scan of a table rests before
// the next one may begin.
const RestFactor = 20

// Rest is how long a scan that took so long rests.
func Rest(took time.Duration) time.Duration { return RestFactor * took }
