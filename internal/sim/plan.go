package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A Duration is one that a person can read in a file.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// A Plan is what a history is made of. The same plan gives the same history.
type Plan struct {
	Seed  uint64 `json:"seed"` // of delays, jitter and the programs' own random numbers
	Why   string `json:"why,omitempty"`
	Setup Setup  `json:"setup"`
	Steps []Step `json:"steps"`
}

// owed is how long after both sides are equal something may still be done by
// right: what a table was compared for, a rest after a scan that was slow, the
// hour of silence after which a twin has ended, and what a cloud is sent that was
// put back to the same rows, which a site notices at its next check-in.
func (p Plan) owed() time.Duration {
	for _, s := range p.Steps {
		if s.Do == "twin" || s.Do == "put cloud back" || s.Do == "source fault" && s.Kind == "slow" {
			return 2 * time.Hour
		}
	}
	return 30 * time.Minute
}

// A Setup is a site as it begins.
type Setup struct {
	Tables      []string `json:"tables"` // names of kinds
	Rows        int      `json:"rows"`   // of each table, in the beginning
	Equal       int      `json:"equal,omitempty"`
	Committed   bool     `json:"committed,omitempty"` // READ_COMMITTED_SNAPSHOT in place of SNAPSHOT
	NoRowCounts bool     `json:"no_row_counts,omitempty"`
	NoViewState bool     `json:"no_view_state,omitempty"` // the login does not see the recovery fork
	ForcedSkips int      `json:"forced_skips"`
	MaxSkips    int      `json:"max_skips"`
	ChunkRows   int      `json:"chunk_rows"`
	Interval    Duration `json:"interval"`
	Verify      Duration `json:"verify"`
}

// A Step is one thing that happens.
type Step struct {
	At    Duration `json:"at"` // since the beginning
	Do    string   `json:"do"`
	Table string   `json:"table,omitempty"`
	N     int      `json:"n,omitempty"`
	For   Duration `json:"for,omitempty"`
	Kind  string   `json:"kind,omitempty"`
	What  string   `json:"what,omitempty"`
	Seed  uint64   `json:"seed,omitempty"` // of what the step draws
}

func (s Step) String() string {
	var b strings.Builder
	b.WriteString(s.Do)
	for _, f := range []string{s.Table, s.Kind, s.What} {
		if f != "" {
			b.WriteString(" " + f)
		}
	}
	if s.N != 0 {
		fmt.Fprintf(&b, " n=%d", s.N)
	}
	if s.For != 0 {
		fmt.Fprintf(&b, " for %s", time.Duration(s.For))
	}
	return b.String()
}

// A draw picks at random.
type draw struct{ *rand.Rand }

func newDraw(seed, stream uint64) draw { return draw{rand.New(rand.NewPCG(seed, stream))} }

func (d draw) chance(p float64) bool      { return d.Float64() < p }
func (d draw) of(all ...string) string    { return all[d.IntN(len(all))] }
func (d draw) between(low, high int) int  { return low + d.IntN(high-low+1) }
func (d draw) within(t Duration) Duration { return Duration(d.Int64N(int64(t)) + 1) }
func (d draw) minutes(low, high int) Duration {
	return Duration(time.Duration(low)*time.Minute) + d.within(Duration(time.Duration(high-low)*time.Minute))
}

// A faultKind is a kind of trouble. A history has some kinds and lacks others,
// so that what hides behind one comes out in another.
type faultKind struct {
	name string
	add  func(*generator)
}

type generator struct {
	draw
	plan    Plan
	horizon Duration
}

func (g *generator) step(s Step) {
	if s.At == 0 {
		s.At = g.within(g.horizon)
	}
	s.Seed = g.Uint64() >> 16
	g.plan.Steps = append(g.plan.Steps, s)
}

func (g *generator) table() string { return g.of(g.plan.Setup.Tables...) }

// Generate gives the plan of a seed.
func Generate(seed uint64) Plan {
	g := &generator{draw: newDraw(seed, 7), plan: Plan{Seed: seed}}
	s := &g.plan.Setup
	for _, name := range kindNames() {
		if g.chance(0.45) {
			s.Tables = append(s.Tables, name)
		}
	}
	if len(s.Tables) == 0 {
		s.Tables = []string{g.of(kindNames()...)}
	}
	s.Rows = g.between(0, 24)
	if g.chance(0.4) {
		s.Equal = g.between(1, 2)
	}
	s.Committed, s.NoRowCounts, s.NoViewState = g.chance(0.3), g.chance(0.15), g.chance(0.3)
	s.ForcedSkips, s.MaxSkips = g.between(0, 2), g.between(0, 4)
	s.ChunkRows = g.between(2, 20)
	s.Interval = Duration(time.Duration(g.between(1, 3)) * time.Minute)
	s.Verify = Duration(time.Duration(g.between(30, 60)) * time.Minute)
	g.horizon = g.minutes(20, 90)
	g.work()
	kinds := slices.Clone(faultKinds)
	g.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	for _, k := range kinds[:g.between(0, 5)] {
		for range g.between(1, 3) {
			k.add(g)
		}
	}
	if g.draw = newDraw(seed, 8); g.chance(0.3) { // of its own stream: it leaves the rest of a seed's plan as it is
		for range g.between(1, 3) {
			g.step(Step{Do: "meddle", N: g.between(0, 3)})
		}
	}
	slices.SortStableFunc(g.plan.Steps, func(a, b Step) int { return int(a.At - b.At) })
	return g.plan
}

// work is what the site's own people do.
func (g *generator) work() {
	for range g.between(5, 30) {
		switch n := g.IntN(20); {
		case n < 14:
			g.step(Step{Do: "write", Table: g.table(), N: g.between(1, 5)})
		case n < 17:
			g.step(Step{Do: "rows", Table: g.table(), N: g.between(2, 12)})
		case n < 18:
			g.step(Step{Do: "rekey", Table: g.table()})
		default:
			at := g.within(g.horizon)
			id := g.between(1, 1000)
			g.step(Step{At: at, Do: "begin", Table: g.table(), N: id})
			g.step(Step{At: at + g.within(Duration(2*time.Hour)), Do: g.of("commit", "commit", "commit", "rollback"), N: id})
		}
	}
}

var faultKinds = []faultKind{
	{"network", func(g *generator) {
		for range g.between(1, 4) {
			g.step(Step{Do: "fate", Kind: g.of("lost", "lost answer", "twice", "late", "cut short", "answer cut short", "answer late", "garbage", "silence", "slow"),
				What: g.of("any", "any", "rows", "rows", "delete", "summary", "versions", "schema", "policy"), N: g.between(0, 6), For: g.minutes(0, 20)})
		}
	}},
	{"outage", func(g *generator) {
		g.step(Step{Do: "outage", Kind: g.of("cloud", "cloud", "source"), For: g.minutes(0, 60)})
	}},
	{"reset", func(g *generator) { g.step(Step{Do: "cut", Kind: g.of("cloud", "source")}) }},
	{"agent crash", func(g *generator) {
		g.step(Step{Do: "kill agent", For: g.minutes(0, 10)})
		g.step(Step{Do: "kill agent at", Kind: g.of("before", "after"), What: g.of("any", "rows", "delete", "summary"), N: g.between(0, 5), For: g.minutes(0, 5)})
	}},
	{"agent restart", func(g *generator) { g.step(Step{Do: "stop agent", For: g.minutes(0, 30)}) }},
	{"agent state", func(g *generator) {
		g.step(Step{Do: "kill agent", Kind: g.of("lost", "old", "damaged", "cut"), For: g.minutes(0, 10)})
	}},
	{"cloud crash", func(g *generator) {
		g.step(Step{Do: "kill cloud", For: g.minutes(0, 10)})
		g.step(Step{Do: "kill cloud at", Kind: g.of("before", "mid", "after"), N: g.between(0, 5), For: g.minutes(0, 5)})
	}},
	{"cloud refuses", func(g *generator) { g.step(Step{Do: "refuse", Kind: g.of("before", "after"), N: g.between(1, 4)}) }},
	{"cloud restore", func(g *generator) {
		at := g.within(g.horizon)
		g.step(Step{At: at, Do: "keep cloud"})
		g.step(Step{At: at + g.minutes(1, 60), Do: "put cloud back", For: g.minutes(0, 5)})
	}},
	{"source restore", func(g *generator) {
		at := g.within(g.horizon)
		g.step(Step{At: at, Do: "backup"})
		g.step(Step{At: at + g.minutes(1, 60), Do: "restore", Kind: g.of("", "hidden")})
	}},
	{"source failover", func(g *generator) {
		at := g.within(g.horizon)
		g.step(Step{At: at, Do: "backup"})
		g.step(Step{At: at + g.minutes(1, 20), Do: "failover", Kind: g.of("", "", "older")})
	}},
	{"old delete", func(g *generator) {
		at, table := g.within(g.horizon/2), g.table()
		g.step(Step{At: at, Do: "keep cloud"})
		g.step(Step{At: at + g.minutes(1, 3), Do: "rows", Table: table, N: g.between(1, 4)})
		g.step(Step{At: at + g.minutes(3, 5), Do: "lose", Table: table, N: g.between(1, 3)})
		g.step(Step{At: at + g.minutes(5, 6), Do: "fate", Kind: "held", What: "delete", For: g.minutes(10, 40)})
	}},
	{"source errors", func(g *generator) {
		g.step(Step{Do: "source fault", Kind: g.of("deadlock", "locked", "severe", "restoring", "slow"), N: g.between(1, 4)})
	}},
	{"source cut", func(g *generator) { g.step(Step{Do: "source cut", Kind: g.of("rows", "bytes"), N: g.between(0, 400)}) }},
	{"schema", func(g *generator) {
		g.step(Step{Do: g.of("add column", "drop column", "truncate", "recreate", "rename away", "type"), Table: g.table(), For: g.minutes(0, 20)})
	}},
	{"bad rows", func(g *generator) {
		g.step(Step{Do: "bad", Table: g.table(), N: g.between(1, 3)})
		if g.chance(0.5) {
			g.step(Step{Do: "mend", Table: g.table()})
		}
	}},
	{"twin", func(g *generator) { g.step(Step{Do: "twin", Kind: g.of("machine", "identity"), For: g.minutes(1, 30)}) }},
	{"clocks", func(g *generator) {
		g.step(Step{Do: "clock", Kind: g.of("agent", "cloud"), For: Duration(time.Duration(g.between(-20_000, 20_000)) * time.Hour)})
		if g.chance(0.5) {
			g.step(Step{Do: "clock", Kind: g.of("agent", "cloud"), For: g.minutes(-90, 90)})
		}
	}},
	{"full disk", func(g *generator) { g.step(Step{Do: "full", For: g.minutes(1, 40)}) }},
	{"policy", func(g *generator) {
		g.step(Step{Do: "policy", Kind: g.of("pause", "off", "skips", "rows"), Table: g.table(), N: g.between(1, 4)})
		if g.chance(0.6) {
			g.step(Step{Do: "policy", Kind: "clear"})
		}
	}},
	{"layout", func(g *generator) { g.step(Step{Do: "layout", Table: g.table()}) }},
}
