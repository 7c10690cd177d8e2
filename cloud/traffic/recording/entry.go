package recording

import "time"

// magic is the first line of a recording.
const magic = "tidemark-recording 1\n"

// Bounds of what is read.
const (
	maxHead = 64 << 10
	maxBody = 64 << 20
)

// A Header tells what was recorded.
type Header struct {
	Started time.Time `json:"started"`
	Server  string    `json:"server"` // version of the program
	Share   int       `json:"share"`  // of the customers, in percent
}

// An Entry is one request, or a gap.
type Entry struct {
	Start    time.Time `json:"start"` // of the request
	ID       string    `json:"id,omitempty"`
	Customer string    `json:"customer"`
	Table    string    `json:"table,omitempty"` // "": about all of the customer's
	Endpoint string    `json:"endpoint,omitempty"`
	Method   string    `json:"method,omitempty"`
	URI      string    `json:"uri,omitempty"`  // path and query
	Host     string    `json:"host,omitempty"` // that the client named
	// Headers are those that the API reads, but for the key's.
	Headers map[string]string `json:"headers,omitempty"`

	Status   int   `json:"status,omitempty"`
	Took     int64 `json:"took_us,omitempty"` // microseconds
	BytesOut int64 `json:"bytes_out,omitempty"`
	Blocks   int64 `json:"blocks,omitempty"` // of Postgres, read and hit; 0 where nobody counts

	Gap bool `json:"gap,omitempty"` // a request of this table is missing, and all after it

	Body []byte `json:"-"`
}
