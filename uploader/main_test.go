package uploader_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/internal/wire"
	"tidemark/uploader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// transport answers requests in place of a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return f(r)
}

// answer is what a server would send.
func answer(status int, kind, body string, header ...string) *http.Response {
	h := http.Header{}
	if kind != "" {
		h.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func problem(code wire.Code, header ...string) *http.Response {
	p := wire.NewProblem(code, "for the test", "do this")
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return answer(p.Status, wire.ProblemType, string(b), header...)
}

const noTables = `{"tables":{}}`

func versions(header ...string) *http.Response {
	return answer(http.StatusOK, "application/json", noTables, header...)
}

// observed collects what an observer is told.
type observed struct {
	mu     sync.Mutex
	states []uploader.State
}

func (o *observed) add(s uploader.State) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.states = append(o.states, s)
}

func (o *observed) all() []uploader.State {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]uploader.State(nil), o.states...)
}

// client returns a client of the transport that is closed with the test.
func client(t testing.TB, f transport, edit ...func(*uploader.Config)) *uploader.Client {
	t.Helper()
	c := uploader.Config{
		BaseURL: "https://cloud.example/api", Customer: "acme", Transport: f,
		Key: func() (string, error) { return "tmk_acme_1", nil },
	}
	for _, e := range edit {
		e(&c)
	}
	u, err := uploader.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	return u
}

func header(rows int) wire.Header {
	return wire.Header{
		Protocol: wire.Protocol, Kind: wire.Delta, Seq: 7, ID: strings.Repeat("ab", 16), Writer: wire.Writer{ID: "w"},
		Epoch: "e1", Schema: "s1", Columns: []string{"id"}, Rows: rows,
	}
}

var line = []byte("[\"1\",1]\n")

// zipped is lines as Send takes them.
func zipped(lines []byte) []byte {
	b, err := wire.EncodeLines(nil, lines)
	if err != nil { // nothing to fail on
		panic(err)
	}
	return b
}

// applied is the answer to a batch of header.
func applied() *http.Response {
	return answer(http.StatusOK, "application/json", `{"version":{"epoch":"e1","seq":"7","watermark":"9","rows":1,"loaded":true,"schema":"s1"},"inserted":1,"updated":0,"unchanged":0,"deleted":0,"guarded":0}`)
}

// body reads what a request carries.
func body(t testing.TB, r *http.Request) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return b
}

// decoded returns the header and the lines of a body.
func decoded(t testing.TB, b []byte) (wire.Header, []byte) {
	t.Helper()
	r, err := wire.NewBodyReader(bytes.NewReader(b), wire.Limits{Body: 8 << 20, Line: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var h wire.Header
	if err := r.Header(&h); err != nil {
		t.Fatal(err)
	}
	r.Expect(h.Rows)
	var lines []byte
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return h, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, l...), '\n')
	}
}

func since(t time.Time) time.Duration { return time.Since(t) }
