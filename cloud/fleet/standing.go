package fleet

import (
	"cmp"
	"slices"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// SilentAfter is the time after which a customer without a report is silent,
// for sites that check in so often: a site comes within three times that after
// a server has started (see cloud.LeaseTerms), and some.
func SilentAfter(checkIn time.Duration) time.Duration { return 3*checkIn + 10*time.Minute }

// A customer is what the snapshot holds of one.
type customer struct {
	ID, Name string
	Created  time.Time
	Received time.Time // of the report; zero: there is none
	Version  string    // of the agent
	OS, Host string
	Paused   string
	Problem  string // the site's, or a source's
	Tables   []standing

	// What order and filters go by, as of the snapshot.
	Silent                    bool
	Behind                    time.Duration // of the table that is furthest behind
	Ill, Late, Held, Disabled int           // tables with a problem, behind, rows in quarantine, tables that are off
	Worst                     string        // a few words on what is wrong
}

// A standing is how one table stands. There are 300,000 of them in a large
// fleet: texts are shared, times are seconds.
type standing struct {
	dataset    int32 // of the snapshot's
	kind       level // ill or off; else its lag tells
	rule       uint8
	quarantine int32
	lag        int32 // seconds, as of the report
	decided    int64 // Unix time by the server's clock; 0: never
	state      string
	decision   string
	reason     string
	problem    string
}

// A level is how bad it is: the colour in the heat map.
type level uint8

const (
	none   level = iota // the customer has no such table
	off                 // disabled or paused
	fine                // not behind
	little              // behind by less than 5 minutes
	some                // by less than an hour
	much                // by less than a day
	far                 // by more
	ill                 // a problem
)

// kindOf is ill or off, or fine where the lag tells.
func kindOf(t wire.TableReport) level {
	switch {
	case t.Problem != nil || t.State == "problem" || t.State == "gone":
		return ill
	case t.State == "disabled" || t.State == "paused" || t.Paused:
		return off
	}
	return fine
}

func levelOfLag(behind time.Duration) level {
	switch {
	case behind <= 0:
		return fine
	case behind < 5*time.Minute:
		return little
	case behind < time.Hour:
		return some
	case behind < 24*time.Hour:
		return much
	}
	return far
}

// behind is how far a table was behind when the site told. A site that is
// silent most likely sends nothing else either: the time since counts, too.
func (c *customer) behind(t standing, now time.Time) time.Duration {
	behind := time.Duration(t.lag) * time.Second
	if behind > 0 && c.Silent {
		behind += now.Sub(c.Received)
	}
	return behind
}

// level is how bad it is now.
func (c *customer) level(t standing, now time.Time) level {
	if t.kind != fine {
		return t.kind
	}
	return levelOfLag(c.behind(t, now))
}

// read takes over a report. Times in it are by the site's clock, which may be
// wrong: only their distance to the report's own counts.
func (s *store) read(c *customer, r cloud.Report, doc wire.Report) {
	c.Received = r.Received
	c.Version, c.OS, c.Host, c.Paused = s.text(doc.Version), s.text(doc.OS), s.text(doc.Host), s.text(doc.Paused)
	c.Problem = ""
	for _, src := range doc.Sources {
		if src.Problem != nil {
			c.Problem = s.text(src.Name + ": " + words(src.Problem))
		}
	}
	if doc.Problem != nil {
		c.Problem = s.text(words(doc.Problem))
	}
	c.Tables = make([]standing, 0, len(doc.Tables))
	for _, t := range doc.Tables {
		st := standing{dataset: s.dataset(t.Name), rule: uint8(min(max(t.Rule, 0), 255)), quarantine: int32(min(t.Quarantine, 1<<30)), lag: int32(min(t.Lag, 1<<30)),
			state: s.text(t.State), decision: s.text(t.Decision), reason: s.text(t.Reason), kind: kindOf(t)}
		if !t.Decided.IsZero() {
			st.decided = r.Received.Add(-max(doc.Time.Sub(t.Decided), 0)).Unix()
		}
		if t.Problem != nil {
			st.problem = s.text(words(t.Problem))
		}
		c.Tables = append(c.Tables, st)
	}
}

// words says what a trouble is.
func words(t *wire.Trouble) string {
	if t == nil {
		return ""
	}
	return cmp.Or(t.Text, t.Kind)
}

// judge finds out how bad it is now.
func (c *customer) judge(now time.Time, silentAfter time.Duration) {
	c.Silent = c.Received.IsZero() || now.Sub(c.Received) > silentAfter
	c.Behind, c.Ill, c.Late, c.Held, c.Disabled, c.Worst = 0, 0, 0, 0, 0, ""
	for _, t := range c.Tables {
		switch b := c.behind(t, now); {
		case t.kind == ill:
			c.Ill++
			if c.Worst == "" {
				c.Worst = cmp.Or(t.problem, t.state)
			}
		case t.kind == off:
			c.Disabled++
		case b > 0:
			c.Late++
			c.Behind = max(c.Behind, b)
		}
		c.Held += int(t.quarantine)
	}
	c.Worst = cmp.Or(c.Problem, c.Paused, c.Worst)
}

// score puts customers in order, the worst first: what a site says is wrong
// with itself, then silence, tables with problems, and lag.
func (c *customer) score() int64 {
	s := int64(c.Behind/time.Second) + int64(c.Held)
	if c.Received.IsZero() {
		return s // most likely not installed yet
	}
	if c.Problem != "" {
		s += 1 << 40
	}
	if c.Silent {
		s += 1 << 39
	}
	return s + int64(min(c.Ill, 1000))<<24
}

// worstFirst sorts customers.
func worstFirst(all []*customer) {
	score := make(map[*customer]int64, len(all))
	for _, c := range all {
		score[c] = c.score()
	}
	slices.SortStableFunc(all, func(a, b *customer) int {
		return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(a.ID, b.ID))
	})
}
