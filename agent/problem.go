package agent

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/uploader"
)

// What ends a cycle besides the errors of source and cloud.
var (
	errGone       = errors.New("the table is not there, or the login cannot see it")
	errRefused    = errors.New("the table cannot be synced")
	errNotLoaded  = errors.New("the first load is not complete: there is nothing to compare yet")
	errOtherEpoch = errors.New("the columns or the epoch have changed: the next cycle uploads first")
	errNoRun      = errors.New("no agent has run here yet")
	errTwins      = errors.New("another agent runs with this one's identity")
)

// worst has the kinds in the order in which a person best sees to them: what
// holds everything back, what a source, what one table.
var worst = []ProblemKind{
	ProblemConfig, ProblemState, ProblemKeyRefused, ProblemLogin, ProblemTLS, ProblemPermission,
	ProblemTwins, ProblemCloudAway, ProblemUnreachable, ProblemServer, ProblemInternal,
	ProblemSecondWriter, ProblemCloudRefused, ProblemSchema, ProblemGone, ProblemCeiling,
	ProblemApproval, ProblemQuarantine, ProblemBusy, ProblemClock,
}

// worstFirst sorts problems by their kinds. Those of one kind, and those of
// kinds that a newer agent tells of, keep their order.
func worstFirst(all []Problem) {
	rank := func(p Problem) int {
		if i := slices.Index(worst, p.Kind); i >= 0 {
			return i
		}
		return len(worst)
	}
	slices.SortStableFunc(all, func(a, b Problem) int { return rank(a) - rank(b) })
}

// maxBackoff bounds the time between two tries.
const maxBackoff = 15 * time.Minute

// backoff is how long to wait after so many failures in a row: 5 s doubled
// each time, with jitter, up to maxBackoff.
func (a *Agent) backoff(failures int) time.Duration {
	d := min(5*time.Second<<min(failures-1, 10), maxBackoff)
	return d/2 + a.jitter(d/2)
}

// slow is how long to wait where a person must act first.
func (a *Agent) slow() time.Duration { return 10*time.Minute + a.jitter(10*time.Minute) }

// jitter is evenly spread between nothing and d.
func (a *Agent) jitter(d time.Duration) time.Duration {
	return time.Duration(a.rand() * float64(d))
}

// since completes p, the problem of now: it goes on from before when that was
// of the same kind.
func (p Problem) since(before *Problem, now time.Time, rest time.Duration) *Problem {
	p.Since, p.Times = now, 1
	if before != nil && before.Kind == p.Kind {
		p.Since, p.Times = before.Since, before.Times+1
	}
	if rest > 0 {
		next := now.Add(rest)
		p.Next = &next
	}
	return &p
}

// classify makes a problem of an error.
func classify(err error) Problem {
	p := Problem{Kind: ProblemInternal, Message: err.Error(), Hint: fault.Hint(err)}
	var stop *uploader.Stop
	var problem *wire.Problem
	switch {
	case errors.As(err, &stop):
		p.Kind = ProblemCloudRefused
		if stop.Problem != nil { // else a proxy's answer, or a key that cannot be read
			p.Kind, p.Hint = ofCode(stop.Problem.Code), stop.Problem.Hint
		}
		if stop.Scope == uploader.Customer {
			p.Kind = ProblemKeyRefused
		}
		return p
	case errors.As(err, &problem):
		p.Kind, p.Hint = ofCode(problem.Code), problem.Hint
		return p
	case errors.Is(err, errGone):
		p.Kind = ProblemGone
		if p.Hint == "" {
			p.Hint = "check the table's name in the configuration, and the login's SELECT right on it; the cloud's rows are kept"
		}
		return p
	case errors.Is(err, errRefused):
		p.Kind = ProblemSchema
		return p
	case errors.Is(err, errTwins):
		p.Kind = ProblemTwins
		p.Hint = "a copy of this machine or of its state directory runs elsewhere: stop one of the two, and delete the state directory of a copy before it starts"
		return p
	}
	class, hint := sqlserver.Classify(err)
	if kind, ok := kinds[class]; ok {
		p.Kind = kind
	}
	if p.Hint == "" {
		p.Hint = hint
	}
	return p
}

var kinds = map[sqlserver.Class]ProblemKind{
	sqlserver.ClassLogin:      ProblemLogin,
	sqlserver.ClassDatabase:   ProblemUnreachable,
	sqlserver.ClassPermission: ProblemPermission,
	sqlserver.ClassLocked:     ProblemBusy,
	sqlserver.ClassSnapshot:   ProblemBusy,
	sqlserver.ClassSchema:     ProblemGone,
	sqlserver.ClassUnreached:  ProblemUnreachable,
	sqlserver.ClassTimeout:    ProblemBusy,
	sqlserver.ClassTLS:        ProblemTLS,
}

func ofCode(c wire.Code) ProblemKind {
	switch c {
	case wire.Unauthorized, wire.Forbidden:
		return ProblemKeyRefused
	case wire.SecondWriter:
		return ProblemSecondWriter
	case wire.SchemaConflict, wire.SchemaChanged:
		return ProblemSchema
	case wire.Overloaded:
		return ProblemCloudAway
	}
	return ProblemCloudRefused
}

// fail books a table's problem and says how long it rests.
func (t *table) fail(err error) time.Duration {
	p := classify(err)
	p.Scope, p.Name = "table", t.site.Dataset
	t.mu.Lock()
	defer t.mu.Unlock()
	times := 1
	if t.problem != nil {
		times = t.problem.Times + 1
	}
	rest := t.a.backoff(times)
	switch p.Kind {
	case ProblemSecondWriter, ProblemTwins, ProblemSchema, ProblemKeyRefused:
		rest = t.a.slow()
	}
	first := t.problem == nil || t.problem.Kind != p.Kind
	t.problem = p.since(t.problem, t.a.now(), rest)
	if first {
		t.log.Warn("table.problem", zap.String("kind", string(p.Kind)), zap.Error(err), zap.String("hint", p.Hint))
	}
	return rest
}

// works ends the table's problem.
func (t *table) works() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.problem != nil {
		t.log.Info("table.works", zap.String("problem", string(t.problem.Kind)), zap.Duration("after", t.a.now().Sub(t.problem.Since)))
	}
	t.problem = nil
}

// A twin is what another process with this one's identity has written last,
// and since when that is known, by the monotonic clock.
type twin struct {
	wrote wire.Version
	seen  time.Time
}

// twinQuiet is how long a twin must have written nothing to be taken for
// ended. It may have read another database than this one's: what it left is
// compared.
const twinQuiet = time.Hour

// sameWriter tells of another process that writes the table with this
// instance's id although this process wrote it last. A cloud that was put
// back to an earlier state holds an earlier number and is no such thing.
func (t *table) sameWriter(v wire.Version, run string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := v.Writer
	if t.wrote && w.ID == t.a.instance && w.Run != run && v.Seq > t.rec.Cloud.Seq {
		now := time.Now()
		if v != t.twin.wrote {
			t.twin = twin{v, now}
		}
		if now.Sub(t.twin.seen) >= twinQuiet {
			t.wrote, t.suspect = false, true
			t.log.Warn("twin.ended", zap.String("host", w.Name), zap.Uint64("seq", v.Seq))
			return nil
		}
		return fmt.Errorf("table %s: %w (%s): batch %d was written by its run %s", t.site.Dataset, errTwins, w.Name, v.Seq, w.Run)
	}
	return nil
}
