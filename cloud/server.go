package cloud

import (
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud/admission"
	"tidemark/cloud/cost"
)

// Config is what a Server needs.
type Config struct {
	Store  Store
	Logger *zap.Logger     // access log and faults; nil: none
	Limits Limits          // zero: DefaultLimits
	Extra  func(io.Writer) // writes further metrics; nil: none
	Costs  *cost.Meter     // is told what requests cost; nil: nobody is
	Leases LeaseTerms      // zero: the defaults
	Tap    func(Exchange)  // is told of every request of a customer; must not wait; nil: nobody is
	// Proxies are believed to tell where requests come from; empty: nobody is.
	Proxies Proxies
	// Now is the clock for keys and claims; nil: time.Now.
	Now func() time.Time
	// Rand draws from [0,1) what spreads those turned away; nil: rand.Float64.
	// It is called by many at once.
	Rand func() float64
}

// A Server answers the API over a Store. It does not own the store.
type Server struct {
	store  Store
	log    *zap.Logger
	limits Limits
	now    func() time.Time
	rand   func() float64
	extra  func(io.Writer)
	costs  *cost.Meter
	tap    func(Exchange)

	leases  LeaseTerms
	started time.Time

	keys     cache[[]Key]
	policies *policies
	schemas  schemas
	metrics  metrics
	works    works

	strangers strangers
	entry     *gate // lookups of keys
	receiving *gate // bytes of bodies
	small     *gate // bytes of bodies up to smallBody
	long      *gate // batches that hold a line over longLine
	admission *admission.Control
	draining  atomic.Bool
	handler   http.Handler
}

// New returns a Server.
func New(c Config) *Server {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Limits == (Limits{}) {
		c.Limits = DefaultLimits()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	l := c.Limits
	s := &Server{store: c.Store, log: c.Logger, limits: l, now: c.Now, rand: c.Rand, extra: c.Extra, costs: c.Costs, tap: c.Tap, leases: c.Leases, started: c.Now()}
	s.entry = newGate("keys", keyLookups, l.Read.Waiting, l.Patience)
	s.keys = cache[[]Key]{load: s.lookUpKeys}
	s.policies = newPolicies(c.Store)
	bodies := l.Read.Waiting + l.Write.Waiting + l.Load.Waiting + l.Diff.Waiting
	s.receiving = newGate("receiving", l.Receiving-l.Receiving/smallParts, bodies, l.Patience)
	s.small = newGate("receiving small", l.Receiving/smallParts, bodies, l.Patience)
	s.receiving.parts, s.small.parts = receivingParts, receivingParts
	s.long = newGate("long lines", longBatches, l.Write.Waiting+l.Load.Waiting, l.Patience)
	s.admission = newAdmission(c.Store, l)
	s.handler = c.Proxies.Handler(s.routes())
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		// Before it answers, net/http reads what the handler has left of a body:
		// for ever, where the request is refused for its head and the rest does
		// not come. Not every ResponseWriter has deadlines; the server's own has.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.limits.BodyTime))
	}
	if len(r.TransferEncoding) > 0 && r.ProtoMajor == 1 {
		// It may have had a Content-Length too, by which a proxy may go: nothing
		// that follows is taken for a request (RFC 9112, 6.1).
		w.Header().Set("Connection", "close")
	}
	s.handler.ServeHTTP(w, r)
}
