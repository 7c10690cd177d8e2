package cloud

import (
	"net/http"
	"time"

	"tidemark/cloud/cost"
	"tidemark/internal/wire"
)

// An Exchange is one request of a customer that was answered. Whoever gets it
// may keep it, and changes nothing in it.
type Exchange struct {
	Start    time.Time
	ID       string
	Customer string
	Table    string // "" when the request was about the customer
	Endpoint string // short name: "POST rows"
	Method   string
	URI      string // path and query
	Host     string // that the client named
	Headers  map[string]string
	Body     []byte

	Status   int
	Took     time.Duration
	BytesOut int64
	Blocks   int64 // of the store, read and hit; 0 where it does not count
}

// tapped are the headers that the API reads, but for that of the key.
var tapped = []string{"Content-Type", "Content-Encoding", "Accept-Encoding", "If-None-Match", "If-Match", wire.HeaderVersions}

// tell tells the tap of a customer's request. An enrolment is none: the code in
// it is worth a key, in a copy of the database, too.
func (s *Server) tell(c *call, path string, status int, start time.Time, spent cost.Sums) {
	if s.tap == nil || c.customer == "" || c.r.PathValue("customer") == "" {
		return
	}
	headers := make(map[string]string)
	for _, name := range tapped {
		if v := c.r.Header.Get(name); v != "" {
			headers[http.CanonicalHeaderKey(name)] = v
		}
	}
	s.tap(Exchange{Start: start, ID: c.id, Customer: c.customer, Table: c.table, Endpoint: endpoint(c.r.Method, path), Method: c.r.Method,
		URI: c.r.URL.RequestURI(), Host: c.r.Host, Headers: headers, Body: c.body,
		Status: status, Took: spent.Time, BytesOut: spent.BytesOut, Blocks: spent.Read + spent.Hit})
}
