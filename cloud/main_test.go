package cloud_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var simple = wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}, {Name: "c", Type: wire.Type{Kind: wire.NVarChar, Len: wire.MaxLen}, Nullable: true}},
	Key: []string{"id"}, Versioning: wire.ByRowVersion}

// faulty is a store with faults where a test wants them.
type faulty struct {
	cloud.Store
	versions func(context.Context) error
	apply    func(context.Context) error
	keys     func(context.Context) error
}

func (f *faulty) Keys(ctx context.Context, customer string) ([]cloud.Key, error) {
	if f.keys != nil {
		if err := f.keys(ctx); err != nil {
			return nil, err
		}
	}
	return f.Store.Keys(ctx, customer)
}

func (f *faulty) Versions(ctx context.Context, customer string) (wire.Versions, error) {
	if f.versions != nil {
		if err := f.versions(ctx); err != nil {
			return wire.Versions{}, err
		}
	}
	return f.Store.Versions(ctx, customer)
}

func (f *faulty) Apply(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	if f.apply != nil {
		if err := f.apply(ctx); err != nil {
			return wire.Answer{}, err
		}
	}
	return f.Store.Apply(ctx, b)
}

// site is a server with one customer, acme, and one table, t. It listens to
// pipes: what a test does with it can be in a bubble of testing/synctest.
type site struct {
	store  *faulty
	server *cloud.Server
	http   *httptest.Server
	key    string
	seq    uint64
}

func newSite(t *testing.T, c cloud.Config) *site {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	s := &site{store: &faulty{Store: store}}
	if sums, ok := c.Store.(*summed); ok {
		sums.Store = s.store
	} else {
		c.Store = s.store
	}
	now := time.Now()
	if c.Now != nil {
		now = c.Now()
	}
	secret, key := cloud.NewKey("acme", now)
	if err := store.AddCustomer(t.Context(), cloud.Customer{ID: "acme", Created: now}, key); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Register(t.Context(), "acme", "t", simple); err != nil {
		t.Fatal(err)
	}
	s.key, s.server = secret, cloud.New(c)
	l := newPipes()
	s.http = &httptest.Server{Listener: l, Config: &http.Server{Handler: s.server}}
	s.http.Start()
	s.http.Client().Transport.(*http.Transport).DialContext = l.DialContext
	t.Cleanup(s.http.Close)
	return s
}

// answer is what came back, whole.
type answer struct {
	*http.Response
	body string
}

func (s *site) do(t *testing.T, method, path string, body io.Reader, change ...func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.http.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	for _, f := range change {
		f(r)
	}
	got, err := s.http.Client().Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{got, string(text)}
}

func asLines(r *http.Request) {
	r.Header.Set("Content-Type", wire.ContentType)
	r.Header.Set("Content-Encoding", "zstd")
}

const (
	versionsPath = "/v1/customers/acme/versions"
	rowsPath     = "/v1/customers/acme/tables/t/rows"
)

func (s *site) batch(t *testing.T, lines ...string) []byte {
	t.Helper()
	mark := uint64(1)
	h := wire.Header{Protocol: wire.Protocol, Kind: wire.Load, Seq: s.seq + 1, ID: strings.Repeat("a", 32), Writer: wire.Writer{ID: "w"}, Epoch: "e",
		Schema: simple.Fingerprint(), Columns: []string{"id", "c"}, Rows: len(lines), Start: true, Complete: true, Watermark: &mark}
	body, err := wire.EncodeBody(nil, h, []byte(strings.Join(append(lines, ""), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (s *site) post(t *testing.T, body []byte) answer {
	t.Helper()
	return s.do(t, http.MethodPost, rowsPath, bytes.NewReader(body), asLines)
}

func (a answer) problem(t *testing.T, code wire.Code) wire.Problem {
	t.Helper()
	var p wire.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Code != code || p.Status != a.StatusCode || a.Header.Get("Content-Type") != wire.ProblemType {
		t.Fatalf("status %d, %v: %.500s; want %s", a.StatusCode, err, a.body, code)
	}
	return p
}
