package conformance

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tidemark/internal/wire"
)

// Run holds a server against the contract.
func Run(t *testing.T, o Options) {
	if o.Client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		defer transport.CloseIdleConnections()
		o.Client = &http.Client{Timeout: time.Minute, Transport: transport}
	}
	t.Run("keys", o.testKeys)
	t.Run("paths", o.testPaths)
	parts := []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"register", testRegister},
		{"schema conflict", testConflict},
		{"documents", testDocuments},
		{"versions", testVersions},
		{"policy", testPolicy},
		{"report", testReport},
		{"exactly once", testExactlyOnce},
		{"upserts", testUpserts},
		{"epochs", testEpochs},
		{"one writer", testWriter},
		{"schema of a batch", testSchemaChanged},
		{"refused rows", testRefused},
		{"bad bodies", testBodies},
		{"bad at the end", testLate},
		{"bad headers", testHeaders},
		{"bad lines", testLines},
		{"deletes", testDeletes},
		{"drop", testDrop},
		{"compare", testCompare},
		{"list", testList},
		{"bad manifests", testBadManifests},
		{"summary", testSummary},
		{"summary of text", testSummaryOfText},
		{"summary of GUIDs", testSummaryOfGUIDs},
		{"summary of epochs", testSummaryOfEpochs},
		{"differences", testDifferences},
		{"bad summaries", testBadSummaries},
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			s := o.site("conformance/" + p.name + " " + random())
			s.register(t)
			defer s.drop(t)
			p.run(t, s)
		})
	}
}

func (o Options) site(table string) *site {
	return &site{Options: o, table: table, epoch: "epoch-a", writer: wire.Writer{ID: "conformance-1", Name: "suite", Run: "1"},
		schema: wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}, {Name: "c", Type: wire.Type{Kind: wire.NVarChar, Len: 40}, Nullable: true}},
			Key: []string{"id"}, Versioning: wire.ByRowVersion}}
}

// drop drops the rows of the table.
func (s *site) drop(t *testing.T) {
	t.Helper()
	s.do(t, http.MethodDelete, s.path("/rows")+"?take_over=true&writer="+url.QueryEscape(s.writer.ID), nil)
}

func (o Options) testKeys(t *testing.T) {
	with := func(value string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			if value != "" {
				r.Header.Set("Authorization", value)
			}
		}
	}
	for _, value := range []string{"", "Bearer", "Bearer x", "Basic eDp5", "Bearer tmk_" + o.Customer + "_wrong", "Bearer " + o.Key + "x", "Bearer " + o.Key[:len(o.Key)-1]} {
		a := o.do(t, http.MethodGet, o.url("/versions"), nil, with(value))
		a.problem(t, wire.Unauthorized)
		if a.header.Get("WWW-Authenticate") == "" {
			t.Error("401 without WWW-Authenticate (RFC 9110, 11.6.1)")
		}
		if secret := strings.TrimPrefix(value, "Bearer "); len(secret) > 10 && bytes.Contains(a.body, []byte(secret)) {
			t.Errorf("the problem repeats the key: %s", a.body)
		}
	}
	stranger := o
	stranger.Customer = "somebody-else"
	for _, path := range []string{"/versions", "/policy", "/tables/t"} {
		o.do(t, http.MethodGet, stranger.url(path), nil).problem(t, wire.Forbidden)
	}
	if a := o.do(t, http.MethodGet, o.url("/versions"), nil, with("bearer "+o.Key)); a.status != http.StatusOK {
		t.Errorf("the scheme is not case-sensitive (RFC 9110, 11.1): %d", a.status)
	}
}

func (o Options) testPaths(t *testing.T) {
	o.do(t, http.MethodGet, o.BaseURL+"/v1/nothing", nil).problem(t, wire.NotFound)
	o.do(t, http.MethodGet, o.url("/tables/not-registered"), nil).problem(t, wire.NotFound)
	a := o.do(t, http.MethodGet, o.url("/versions"), nil, func(r *http.Request) { r.Header.Set(wire.HeaderRequestID, "the-suites-own") })
	if got := a.header.Get(wire.HeaderRequestID); got != "the-suites-own" {
		t.Errorf("request id %q, want that of the request", got)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := o.do(t, http.MethodGet, o.BaseURL+path, nil, func(r *http.Request) { r.Header.Del("Authorization") }); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
