package cost

import "time"

// Sums are what requests cost, added up.
type Sums struct {
	Requests int64         `json:"requests"`
	Failed   int64         `json:"failed,omitempty"`      // of them, answered with a status from 500 on
	Time     time.Duration `json:"time_ns"`               // from the request's head to the end of its answer
	Rows     int64         `json:"rows,omitempty"`        // lines of bodies, both ways
	Changed  int64         `json:"changed,omitempty"`     // rows inserted, updated or deleted
	BytesIn  int64         `json:"bytes_in,omitempty"`    // of bodies, as sent
	BytesOut int64         `json:"bytes_out,omitempty"`   // of answers, as sent
	Read     int64         `json:"blocks_read,omitempty"` // blocks that the database asked the system for; 0 where it does not tell
	Hit      int64         `json:"blocks_hit,omitempty"`  // blocks that it had in its own memory
}

// Add adds o.
func (s *Sums) Add(o Sums) {
	s.Requests += o.Requests
	s.Failed += o.Failed
	s.Time += o.Time
	s.Rows += o.Rows
	s.Changed += o.Changed
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.Read += o.Read
	s.Hit += o.Hit
}

// A Charge is what one request, or several, cost whom.
type Charge struct {
	Endpoint string // of the API, from a fixed list: "POST rows"
	Dataset  string // "" where the request names none that there is
	Customer string
	Sums
}

// Other is the name under which those are summed that are not kept apart.
const Other = "(other)"
