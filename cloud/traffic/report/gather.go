package report

import (
	"fmt"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/traffic/accesslog"
	"tidemark/cloud/traffic/latency"
)

// Bounds of what is held apart.
const (
	maxCustomers = 20_000
	maxTables    = 5_000
	maxHours     = 24 * 45
)

// other is the name of the cell of all that are beyond a bound.
const other = "(other)"

// A tally is one cell.
type tally struct {
	requests, in, out uint64
	statuses          [6]uint64 // by hundreds; 0: no answer, or none known
	took              latency.Histogram
}

func (t *tally) add(e *accesslog.Entry) {
	t.requests++
	t.in += uint64(max(e.Received, 0))
	t.out += uint64(max(e.Sent, 0))
	class := e.Status / 100
	if class < 1 || class > 5 {
		class = 0
	}
	t.statuses[class]++
	if e.Took >= 0 {
		t.took.Add(e.Took)
	}
}

// tallies are cells by name, most of them by themselves.
type tallies struct {
	cells map[string]*tally
	most  int
}

func (t *tallies) at(name string) *tally {
	c := t.cells[name]
	if c == nil {
		if len(t.cells) >= t.most {
			name = other
			if c = t.cells[other]; c != nil {
				return c
			}
		}
		c = new(tally)
		t.cells[name] = c
	}
	return c
}

// hourForm is the name of an hour.
const hourForm = "2006-01-02T15Z"

// A Gatherer reads lines and makes a Report of them. One goroutine uses it.
type Gatherer struct {
	parser     accesslog.Parser
	operations operations
	endpoints  tallies
	customers  tallies
	tables     tallies
	hours      map[int64]map[string]*tally // by hour since 1970, by endpoint
	total      tally
	malformed  int64
	examples   []string
	first      time.Time
	last       time.Time
}

// NewGatherer knows the paths of api.
func NewGatherer(api []cloud.Operation) *Gatherer {
	cells := func(most int) tallies { return tallies{map[string]*tally{}, most} }
	return &Gatherer{operations: newOperations(api), endpoints: cells(100), customers: cells(maxCustomers), tables: cells(maxTables), hours: map[int64]map[string]*tally{}}
}

// maxExamples is how many malformed lines a report names.
const maxExamples = 10

// Line adds one line of a file.
func (g *Gatherer) Line(file string, number int64, line []byte) {
	if len(line) == 0 {
		return
	}
	e, err := g.parser.Parse(line)
	if err != nil {
		g.Malformed(file, number, err)
		return
	}
	endpoint, customer, table := unknown, "", ""
	if e.Kind == accesslog.Network {
		endpoint = "(connections)" // of TLS: requests are not in it
	} else if e.URL != nil {
		endpoint, customer, table = g.operations.find(e.URL)
	}
	g.total.add(e)
	g.endpoints.at(endpoint).add(e)
	if customer != "" {
		g.customers.at(customer).add(e)
	}
	if table != "" {
		g.tables.at(table).add(e)
	}
	g.hour(e.Time, endpoint).add(e)
	if g.first.IsZero() || e.Time.Before(g.first) {
		g.first = e.Time
	}
	if e.Time.After(g.last) {
		g.last = e.Time
	}
}

// Malformed counts a line that is none.
func (g *Gatherer) Malformed(file string, number int64, why error) {
	g.malformed++
	if len(g.examples) < maxExamples {
		g.examples = append(g.examples, fmt.Sprintf("%s:%d: %v", file, number, why))
	}
}

// hour returns the cell of an endpoint in an hour. Clocks may be out of order:
// hours come as they come.
func (g *Gatherer) hour(at time.Time, endpoint string) *tally {
	key := at.Unix() / 3600
	byEndpoint := g.hours[key]
	if byEndpoint == nil {
		if len(g.hours) >= maxHours {
			key = -1
		}
		if byEndpoint = g.hours[key]; byEndpoint == nil {
			byEndpoint = map[string]*tally{}
			g.hours[key] = byEndpoint
		}
	}
	t := byEndpoint[endpoint]
	if t == nil {
		t = new(tally)
		byEndpoint[endpoint] = t
	}
	return t
}
