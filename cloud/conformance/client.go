package conformance

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tidemark/internal/wire"
)

// Options tell where the server is and how to come in.
type Options struct {
	BaseURL  string
	Customer string
	Key      string
	Client   *http.Client // nil: one with a deadline of a minute
}

// site is one table as the suite's agent sees it.
type site struct {
	Options
	table   string
	schema  wire.Schema
	epoch   string
	writer  wire.Writer
	version wire.Version
	secret  string
}

// answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// maxAnswer bounds what the suite takes for an answer.
const maxAnswer = 64 << 20

func (o Options) url(rest string) string {
	return strings.TrimSuffix(o.BaseURL, "/") + "/v1/customers/" + url.PathEscape(o.Customer) + rest
}

func (s *site) path(rest string) string { return s.url("/tables/" + url.PathEscape(s.table) + rest) }

// do sends a request with the key, changed by change.
func (o Options) do(t *testing.T, method, url string, body []byte, change ...func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+o.Key)
	for _, f := range change {
		f(r)
	}
	got, err := o.Client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		t.Fatalf("%s %s: reading the answer: %v", method, url, err)
	}
	return answer{got.StatusCode, got.Header, text}
}

func asLines(r *http.Request) {
	r.Header.Set("Content-Type", wire.ContentType)
	r.Header.Set("Content-Encoding", "zstd")
}

func asJSON(r *http.Request) { r.Header.Set("Content-Type", "application/json") }

// document reads a good answer into v. Members that the contract does not
// name are allowed: it can grow.
func (a answer) document(t *testing.T, v any) {
	t.Helper()
	if kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type")); a.status != http.StatusOK || err != nil || kind != "application/json" {
		t.Fatalf("status %d, %q: %.500s", a.status, a.header.Get("Content-Type"), a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v: %.500s", err, a.body)
	}
}

// problem reads a problem document and holds it against RFC 9457 and the code.
func (a answer) problem(t *testing.T, code wire.Code) wire.Problem {
	t.Helper()
	var p wire.Problem
	if kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type")); err != nil || kind != wire.ProblemType {
		t.Errorf("status %d, %q, want %s: %.500s", a.status, a.header.Get("Content-Type"), wire.ProblemType, a.body)
		return p
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Errorf("%v: %.500s", err, a.body)
		return p
	}
	want := wire.NewProblem(code, "", "")
	if p.Code != code || a.status != want.Status || p.Status != want.Status || p.Type != want.Type || p.Title == "" {
		t.Errorf("status %d, problem %+v, want %s (%d)", a.status, p, code, want.Status)
	}
	if p.RequestID == "" || p.RequestID != a.header.Get(wire.HeaderRequestID) {
		t.Errorf("request id %q in the problem, %q in the header", p.RequestID, a.header.Get(wire.HeaderRequestID))
	}
	return p
}

// register registers the schema of the site.
func (s *site) register(t *testing.T) wire.Table {
	t.Helper()
	body, err := json.Marshal(s.schema)
	if err != nil {
		t.Fatal(err)
	}
	var got wire.Table
	s.do(t, http.MethodPut, s.path("/schema"), body, asJSON).document(t, &got)
	s.version, s.secret = got.Version, got.Secret
	return got
}

// header makes the header of the batch that is next.
func (s *site) header(kind wire.BatchKind, rows int) wire.Header {
	h := wire.Header{Protocol: wire.Protocol, Kind: kind, Seq: s.version.Seq + 1, ID: random(), Writer: s.writer, Epoch: s.epoch,
		Schema: s.schema.Fingerprint(), Rows: rows}
	if kind != wire.Delete {
		for _, c := range s.schema.Columns {
			h.Columns = append(h.Columns, c.Name)
		}
	}
	return h
}

// post sends a batch or a manifest; lines have no line feeds.
func (s *site) post(t *testing.T, method, rest string, header any, lines ...string) answer {
	t.Helper()
	return s.do(t, method, s.path(rest), frame(t, header, lines...), asLines)
}

func frame(t *testing.T, header any, lines ...string) []byte {
	t.Helper()
	text := strings.Join(lines, "\n")
	if len(lines) > 0 {
		text += "\n"
	}
	body, err := wire.EncodeBody(nil, header, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// send sends a batch that must be applied.
func (s *site) send(t *testing.T, h wire.Header, lines ...string) wire.Answer {
	t.Helper()
	method := http.MethodPost
	if h.Kind == wire.Delete {
		method = http.MethodDelete
	}
	var a wire.Answer
	s.post(t, method, "/rows", h, lines...).document(t, &a)
	s.version = a.Version
	return a
}

func (s *site) load(t *testing.T, lines ...string) wire.Answer {
	t.Helper()
	h := s.header(wire.Load, len(lines))
	mark := uint64(100)
	h.Start, h.Complete, h.Watermark = true, true, &mark
	return s.send(t, h, lines...)
}

func (s *site) delta(t *testing.T, lines ...string) wire.Answer {
	t.Helper()
	return s.send(t, s.header(wire.Delta, len(lines)), lines...)
}

// read asks for the version.
func (s *site) read(t *testing.T) wire.Version {
	t.Helper()
	var got wire.Table
	s.do(t, http.MethodGet, s.path(""), nil).document(t, &got)
	return got.Version
}

// list reads all manifest lines, page by page.
func (s *site) list(t *testing.T, limit int) []string {
	t.Helper()
	h := wire.ManifestHeader{Protocol: wire.Protocol, Mode: wire.List, Epoch: s.epoch, Schema: s.schema.Fingerprint(), Limit: limit}
	var lines []string
	for range 10_000 {
		a := s.post(t, http.MethodPost, "/manifest", h)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != wire.ContentType || a.header.Get("Content-Encoding") != "zstd" {
			t.Fatalf("status %d, %q: %.500s", a.status, a.header, a.body)
		}
		var head wire.ListHeader
		page := unframe(t, a.body, &head, func() int { return head.Rows })
		if len(page) > limit {
			t.Errorf("a page of %d lines, the limit is %d", len(page), limit)
		}
		lines = append(lines, page...)
		if head.Next == "" {
			return lines
		}
		h.After = head.Next
	}
	t.Fatal("the list does not end")
	return nil
}

func unframe(t *testing.T, body []byte, header any, rows func() int) (lines []string) {
	t.Helper()
	r, err := wire.NewBodyReader(bytes.NewReader(body), wire.Limits{Body: maxAnswer, Line: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Header(header); err != nil {
		t.Fatal(err)
	}
	r.Expect(rows())
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
}

func random() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
