package fleet

import (
	"cmp"
	"slices"
	"time"

	"tidemark/cloud"
)

// A Snapshot is the fleet at a time. It is not changed once it is made.
type Snapshot struct {
	At        time.Time
	Took      time.Duration // to read and make it
	Read      int           // reports that were read for it
	customers []*customer   // the worst first
	byID      map[string]*customer
	datasets  []string
	rules     *cloud.Rules

	decisions  []decided
	quarantine []held
	versions   []share
	systems    []share
	totals     totals
}

// A share is how many customers have something in common.
type share struct {
	Name  string
	Count int
}

type totals struct {
	Customers, Tables, Reporting, Silent, Unheard, Ill, Late, Held int
	Behind                                                         time.Duration
}

// snapshot sums up what the store holds.
func (s *store) snapshot(now time.Time, rules *cloud.Rules, silentAfter time.Duration) *Snapshot {
	v := &Snapshot{At: now, datasets: slices.Clone(s.names), byID: make(map[string]*customer, len(s.customers)), rules: rules}
	versions, systems := map[string]int{}, map[string]int{}
	for id, held := range s.customers {
		c := *held // its tables are replaced, not changed, by its next report
		c.judge(now, silentAfter)
		v.customers, v.byID[id] = append(v.customers, &c), &c
		v.count(&c)
		if !c.Received.IsZero() {
			versions[cmp.Or(c.Version, "unknown")]++
			systems[cmp.Or(c.OS, "unknown")]++
		}
	}
	worstFirst(v.customers)
	v.decisions, v.quarantine = v.findDecisions(""), v.findHeld("")
	v.versions, v.systems = shares(versions), shares(systems)
	return v
}

func (v *Snapshot) count(c *customer) {
	t := &v.totals
	t.Customers++
	t.Tables += len(c.Tables)
	switch {
	case c.Received.IsZero():
		t.Unheard++
	case c.Silent:
		t.Silent++
	default:
		t.Reporting++
	}
	if c.Ill > 0 || c.Problem != "" {
		t.Ill++
	}
	if c.Late > 0 {
		t.Late++
	}
	t.Held += c.Held
	t.Behind = max(t.Behind, c.Behind)
}

func shares(of map[string]int) (all []share) {
	for name, n := range of {
		all = append(all, share{name, n})
	}
	slices.SortFunc(all, func(a, b share) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return all
}
