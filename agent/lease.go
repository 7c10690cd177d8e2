package agent

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"go.uber.org/zap"

	"tidemark/internal/wire"
	"tidemark/scheduler"
	"tidemark/uploader"
)

// Bounds of an agent that was told of no lease, and of a check-in.
const (
	firstContact = 15 * time.Minute // over which sites that start are spread, unless they have something to send
	ownEvery     = time.Hour        // between check-ins at a cloud that has no leases
	ownPace      = 5 * time.Minute
	checkInTime  = time.Minute      // for a check-in; one that fails waits for its next place
	looks        = 10 * time.Second // between two looks whether something matters, or the cloud has told other terms
)

// A lease is how the agent stands with what the cloud has told. Its times are
// of the monotonic clock. Only keepLease changes it, but for until.
type lease struct {
	terms   wire.Lease
	told    time.Time // terms are of
	due     time.Time // the next check-in
	sent    time.Time // the last report
	matters string    // of the last report
	want    time.Time // a report that something gave rise to is due; zero: none
	failed  bool      // the last check-in: the next one is at its place
	looked  time.Time
}

// phase is where in a span the site lies: the same after every start, another
// one for every customer.
func (a *Agent) phase(span time.Duration) time.Duration {
	return time.Duration(share(a.siteCustomer()) * float64(span))
}

// share is in [0, 1), the same for a seed at all times.
func share(seed string) float64 {
	sum := sha256.Sum256([]byte(seed))
	return float64(binary.BigEndian.Uint32(sum[:])) / (1 << 32)
}

func (a *Agent) siteCustomer() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.site.Customer
}

// keepLease checks in when the lease says so, and when something has changed
// that an operator would act on, until ctx ends. A quiet site sends nothing
// else.
func (a *Agent) keepLease(ctx context.Context) {
	now := time.Now()
	l := &lease{
		terms: wire.Lease{Every: ownEvery, Pace: ownPace, Return: ownEvery},
		due:   now.Add(a.phase(firstContact)), looked: now,
	}
	defer a.nextCheckIn(time.Time{})
	for {
		a.heed(l)
		next := l.due
		if !l.want.IsZero() {
			next = earliest(next, l.want)
		}
		a.nextCheckIn(next)
		wake := earliest(next, l.looked.Add(min(looks, l.terms.Pace)))
		if l.told.IsZero() && l.sent.IsZero() { // the first answer to anything tells when to come
			wake = earliest(wake, time.Now().Add(housekeeping))
		}
		if !pause(ctx, max(time.Until(wake), time.Millisecond)) {
			return
		}
		now := time.Now()
		a.look(ctx, l, now)
		if now.Before(l.due) && (l.want.IsZero() || now.Before(l.want)) {
			continue
		}
		a.checkIn(ctx, l)
	}
}

func (a *Agent) nextCheckIn(at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.checksIn = at
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// heed takes terms that another answer has told: they can only have the site
// come back earlier.
func (a *Agent) heed(l *lease) {
	told := a.cloud().Lease()
	if !told.Told.After(l.told) {
		return
	}
	l.terms, l.told = told.Lease, told.Told
	l.due = earliest(l.due, told.Told.Add(told.Return))
}

// look decides whether something is to be told before the next check-in.
// Sites that have the same thing to tell are spread over the pace.
func (a *Agent) look(ctx context.Context, l *lease, now time.Time) {
	if now.Sub(l.looked) < min(looks, l.terms.Pace) {
		return
	}
	l.looked = now
	if l.sent.IsZero() || l.failed || !l.want.IsZero() || a.cloud().State().Away {
		return
	}
	s, err := a.Status(ctx)
	if err != nil || matters(a.report(s)) == l.matters {
		return
	}
	l.want = now.Add(a.jitter(l.terms.Pace))
	if soonest := l.sent.Add(l.terms.Pace); l.want.Before(soonest) {
		l.want = soonest
	}
}

// checkIn reports, and hears whether the cloud is what is remembered of it. A
// cloud that is away is left to those who have something to send: after an
// outage every site comes at its own place.
func (a *Agent) checkIn(ctx context.Context, l *lease) {
	began := time.Now()
	next := l.due
	for !next.After(began) {
		next = next.Add(l.terms.Every)
	}
	l.due, l.want = next, time.Time{}
	s, err := a.Status(ctx)
	if err != nil {
		return
	}
	r := a.report(s)
	saying := matters(r)
	l.sent, l.failed = began, true
	asking, cancel := context.WithTimeout(ctx, checkInTime)
	defer cancel()
	all, err := a.cloud().Report(asking, fit(r))
	if errors.Is(err, uploader.ErrNoReports) && !l.told.IsZero() { // leases, and no reports
		all, err = a.cloud().Versions(asking)
	}
	switch {
	case err == nil:
		l.matters, l.failed = saying, false
	case ctx.Err() != nil || errors.Is(err, uploader.ErrNoReports):
		return
	default:
		a.log.Debug("checkin.failed", zap.Error(err), zap.Duration("again_in", time.Until(l.due)))
		return
	}
	if told := a.cloud().Lease(); told.Told.After(began) {
		l.terms, l.told = told.Lease, told.Told
		l.due = told.Told.Add(told.Return)
	}
	a.confirm(all, began, nil)
}

// confirm begins the lease anew with what the cloud has said of all tables,
// asked for at began. A table that it holds otherwise than is remembered here
// (it was put back to an earlier state, or somebody else has changed it) is
// looked at now, but for the one whose cycle has asked. A cloud that has no
// leases is asked by each table for itself.
func (a *Agent) confirm(all wire.Versions, began time.Time, asking *table) {
	told := a.cloud().Lease()
	if !told.Told.After(began) {
		return
	}
	a.mu.Lock()
	a.leased = began.Add(told.Hold)
	tables := a.allTables()
	a.mu.Unlock()
	for _, t := range tables {
		if t != asking && t.confirm(all.Tables[t.site.Dataset], began) {
			t.log.Info("cloud.changed")
			a.kick(t, scheduler.SyncNow)
		}
	}
}

// confirm reports whether the cloud holds another version than is remembered.
func (t *table) confirm(v wire.Version, began time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	have := t.rec.Cloud
	switch {
	case t.rec.Asked.IsZero(): // its first cycle asks
		return false
	case !t.heard.Before(began): // heard of since
		return false
	case v == have:
		t.known = true
		return false
	case t.running != "" && v.Writer.Run == t.a.run && v.Seq > have.Seq: // a batch whose answer is under way
		return false
	case v.Seq > have.Seq: // whose it is, the cycle finds out, once
		t.known = false
		if v == t.stranger {
			return false
		}
		t.stranger = v
	default:
		t.rec.Cloud, t.rec.Asked, t.known, t.heard = v, t.a.now(), true, began
	}
	return true
}

// holds tells whether the lease holds for what is remembered of a table: the
// cloud has said so of all, and nobody else writes this one.
func (t *table) holds() bool {
	t.a.mu.Lock()
	until := t.a.leased
	t.a.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	return time.Now().Before(until) && t.rec.Cloud.Writer.ID == t.a.instance
}
