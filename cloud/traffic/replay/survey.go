package replay

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"tidemark/cloud/traffic/recording"
	"tidemark/internal/wire"
)

// lane is what has to stay in order.
type lane struct{ customer, table string }

// A survey is what one look through a recording tells.
type survey struct {
	requests  int
	first     time.Time
	last      time.Time
	hosts     map[string]bool
	customers map[string]bool
	begins    map[lane]uint64 // sequence number of the first batch that was applied
	gaps      map[lane]bool
	broken    *recording.BrokenError // where it is cut off
}

// look reads a recording once, and holds one number for each table.
func look(r *recording.Reader) (*survey, error) {
	s := &survey{hosts: map[string]bool{}, customers: map[string]bool{}, begins: map[lane]uint64{}, gaps: map[lane]bool{}}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) || errors.As(err, &s.broken) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		l := lane{e.Customer, e.Table}
		if e.Gap {
			s.gaps[l] = true
			continue
		}
		s.requests++
		if s.first.IsZero() || e.Start.Before(s.first) {
			s.first = e.Start
		}
		if e.Start.After(s.last) {
			s.last = e.Start
		}
		s.hosts[e.Host] = true
		s.customers[e.Customer] = true
		if _, known := s.begins[l]; !known && e.Status == http.StatusOK {
			if seq, ok := sequence(e); ok {
				s.begins[l] = seq
			}
		}
	}
}

// sequence returns the sequence number of a batch; not ok for what is none.
func sequence(e *recording.Entry) (uint64, bool) {
	if e.Headers["Content-Type"] != wire.ContentType || e.Endpoint != "POST rows" && e.Endpoint != "DELETE rows" || len(e.Body) == 0 {
		return 0, false
	}
	b, err := wire.NewBodyReader(bytes.NewReader(e.Body), wire.Limits{Body: 128 << 20, Line: 1 << 20})
	if err != nil {
		return 0, false
	}
	defer b.Close()
	var h wire.Header
	if err := b.Header(&h); err != nil {
		return 0, false
	}
	return h.Seq, true
}
