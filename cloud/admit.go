package cloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tidemark/cloud/admission"
	"tidemark/internal/wire"
)

// A bounded store has connections that may become more or fewer. The server
// has no more work in it than they can take. Refused is how often the database
// had none left.
type bounded interface {
	Connections() int
	Refused() uint64
}

// spareConnections of a bounded store are for what needs no turn: keys,
// policies, upkeep.
const spareConnections = 3

// quick is how long work of a class may take at any time without being a sign
// of overload. Of changes the smallest batch takes 2 ms, one of 1,000 rows 8.
var quick = [admission.Classes]time.Duration{admission.Change: 12 * time.Millisecond, admission.Read: 20 * time.Millisecond,
	admission.Load: 250 * time.Millisecond, admission.Diff: 250 * time.Millisecond}

func newAdmission(store Store, l Limits) *admission.Control {
	c := admission.Config{Patience: l.Patience}
	if b, ok := store.(bounded); ok {
		c.Capacity = func() int { return b.Connections() - spareConnections }
	}
	for class, k := range map[admission.Class]Class{admission.Change: l.Write, admission.Read: l.Read, admission.Load: l.Load, admission.Diff: l.Diff} {
		c.Classes[class] = admission.Bounds{Least: max(1, k.Running/8), Most: k.Running, Waiting: k.Waiting, Quick: quick[class]}
	}
	// Changes begin with few at once, so that what they usually take is known
	// from a database that has time for them, and never have fewer: where it is
	// a slow disk that they wait for, they wait for it together.
	change := &c.Classes[admission.Change]
	change.Least = max(1, change.Most/3)
	change.First = change.Least
	return admission.New(c)
}

// enter waits for a turn of a call. Whoever got one tells leave what came of
// the work.
func (s *Server) enter(c *call, r route) (leave func(error), err error) {
	class := r.class
	if r.body == lines || r.body == maybe {
		if class, err = s.weigh(c); err != nil {
			return nil, err
		}
	}
	pass, err := s.admission.Enter(c.r.Context(), class, c.customer, len(c.body))
	if errors.Is(err, admission.ErrRefused) {
		after := s.admission.RetryAfter(class)
		c.w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
		return nil, wire.NewProblem(wire.Overloaded, err.Error(), "Try again after the seconds in Retry-After.")
	}
	if err != nil {
		return nil, err
	}
	return func(err error) {
		pass.Leave(err != nil, errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded))
	}, nil
}

// weigh tells changes from loads by the head of a batch. A body that has none
// deletes a whole table.
func (s *Server) weigh(c *call) (admission.Class, error) {
	if len(c.body) == 0 && c.r.Method == http.MethodDelete {
		return admission.Load, nil
	}
	c.head = new(wire.Header)
	if err := s.header(c.body, c.head); err != nil {
		return 0, err
	}
	if c.head.Kind == wire.Load {
		return admission.Load, nil
	}
	return admission.Change, nil
}

// writeGates writes what the classes of work and the other gates let in.
func (s *Server) writeGates(b *bytes.Buffer) {
	type figures struct {
		name                   string
		limit, inside, waiting int64
		refused                uint64
	}
	var all []figures
	for class, f := range s.admission.Figures() {
		all = append(all, figures{admission.Class(class).String(), int64(f.Limit), int64(f.Inside), int64(f.Waiting), f.Refused})
	}
	for _, g := range []*gate{s.entry, s.receiving, s.small, s.long} {
		inside, waiting, turned := g.figures()
		all = append(all, figures{g.name, g.capacity, inside, int64(waiting), turned})
	}
	for _, m := range []struct {
		name, kind, help string
		of               func(figures) any
	}{
		{"tidemark_gate_limit", "gauge", "what may be inside at once (receiving: bytes); of classes of work it follows what is measured", func(f figures) any { return f.limit }},
		{"tidemark_gate_inside", "gauge", "requests (receiving: bytes) admitted", func(f figures) any { return f.inside }},
		{"tidemark_gate_waiting", "gauge", "requests waiting for a turn", func(f figures) any { return f.waiting }},
		{"tidemark_gate_turned_away_total", "counter", "requests refused with 503", func(f figures) any { return f.refused }},
	} {
		family(b, m.name, m.kind, m.help)
		for _, f := range all {
			fmt.Fprintf(b, "%s{gate=%q} %v\n", m.name, f.name, m.of(f))
		}
	}
	if store, ok := s.store.(bounded); ok {
		family(b, "tidemark_connections_share", "gauge", "connections to the database that this instance may have, beside others that share them")
		fmt.Fprintf(b, "tidemark_connections_share %d\n", store.Connections())
		family(b, "tidemark_connections_refused_total", "counter", "times that the database had no connection left for this instance, because others had them")
		fmt.Fprintf(b, "tidemark_connections_refused_total %d\n", store.Refused())
	}
}
