package cloud_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// serve serves a site on l as it is served outside of tests.
func (s *site) serve(t *testing.T, l net.Listener) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := p.DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// talk sends bytes on a connection of their own and returns the statuses of
// all that is answered until the server closes it.
func talk(t *testing.T, conn net.Conn, text string) (statuses []int) {
	t.Helper()
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(conn, text) }() // the server may close before it has all
	in := bufio.NewReader(conn)
	for {
		a, err := http.ReadResponse(in, nil)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("no end of it: %v", err)
			}
			return statuses
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil {
			return statuses
		}
		statuses = append(statuses, a.StatusCode)
		if a.StatusCode == http.StatusSwitchingProtocols {
			return statuses
		}
	}
}

// What is not clear about where a request ends, or what it means, is refused
// and ends the connection: a request that hides in it is never answered.
func TestSmuggling(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		l := newPipes()
		s.serve(t, l)
		auth := "Host: cloud.example\r\nAuthorization: Bearer " + s.key + "\r\n"
		head := "POST " + rowsPath + " HTTP/1.1\r\n" + auth + "Content-Type: application/x-ndjson\r\nContent-Encoding: zstd\r\n"
		hidden := "DELETE " + rowsPath + "?writer=w HTTP/1.1\r\n" + auth + "\r\n"
		end := "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
		get := func(path string) string { return "GET " + path + " HTTP/1.1\r\n" + auth + "\r\n" }
		const chunk = "0\r\n\r\n" // the last one
		for _, tt := range []struct {
			name, text string
			want       []int // of what comes before the end; shorter by the end's where the connection is closed
			open       bool
		}{
			{"no body", head + "Content-Length: 0\r\n\r\n", []int{400}, true},
			{"length and chunks", head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"chunks and length", head + "Transfer-Encoding: chunked\r\nContent-Length: 500\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"chunks behind a fold", head + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"chunks behind a tab", head + "Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"chunks behind a control character", head + "Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"a blank before the colon", head + "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"another coding", head + "Transfer-Encoding: xchunked\r\n\r\n" + chunk + hidden, []int{501}, false},
			{"two codings", head + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunk + hidden, []int{501}, false},
			{"codings twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunk + hidden, []int{501}, false},
			{"chunks in HTTP/1.0", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + "Transfer-Encoding: chunked\r\n\r\n" + chunk + hidden, []int{400}, false},
			{"two lengths", head + "Content-Length: 0\r\nContent-Length: 50\r\n\r\n" + hidden, []int{400}, false},
			{"a list of lengths", head + "Content-Length: 0, 0\r\n\r\n" + hidden, []int{400}, false},
			{"a signed length", head + "Content-Length: +0\r\n\r\n" + hidden, []int{400}, false},
			{"a negative length", head + "Content-Length: -1\r\n\r\n" + hidden, []int{400}, false},
			{"a hexadecimal length", head + "Content-Length: 0x0\r\n\r\n" + hidden, []int{400}, false},
			{"a chunk of 2^68 bytes", head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + hidden, []int{400}, false},
			{"chunks without returns", head + "Transfer-Encoding: chunked\r\n\r\n0\n\n" + hidden, []int{400}, false},
			{"a line feed in a chunk's extension", head + "Transfer-Encoding: chunked\r\n\r\n0;a=\n\r\n\r\n" + hidden, []int{400}, false},
			{"a bare return", head + "X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + hidden, []int{400}, false},
			{"U+0000 in a field", head + "X: a\x00b\r\nContent-Length: 0\r\n\r\n" + hidden, []int{400}, false},
			{"a request as a body", "GET " + versionsPath + " HTTP/1.1\r\n" + auth + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(hidden)) + hidden, []int{200}, true},
			{"the key in a trailer", strings.Replace(head, "Authorization", "X", 1) + "Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n0\r\nAuthorization: Bearer " + s.key + "\r\n\r\n" + hidden, []int{401}, false},
			{"no host", "GET " + versionsPath + " HTTP/1.1\r\nAuthorization: Bearer " + s.key + "\r\n\r\n", []int{400}, false},
			{"two hosts", "GET " + versionsPath + " HTTP/1.1\r\n" + auth + "Host: b\r\n\r\n", []int{400}, false},
			{"two keys", "GET " + versionsPath + " HTTP/1.1\r\n" + auth + "Authorization: Bearer tmk_globex_x\r\n\r\n", []int{401}, true},
			{"a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400}, false},
			{"HTTP/0.9", "GET " + versionsPath + "\r\n", []int{400}, false},
			{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{400}, false},
			{"a tunnel", "CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n", []int{404}, true},
			{"an upgrade", "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", []int{200}, true},
			{"a large field", "GET " + versionsPath + " HTTP/1.1\r\n" + auth + "X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", []int{431}, false},
			{"many fields", "GET " + versionsPath + " HTTP/1.1\r\n" + auth + strings.Repeat("X: a\r\n", 20_000) + "\r\n", []int{431}, false},
			{"a long path", get("/" + strings.Repeat("a", 64<<10)), []int{431}, false},
			{"a method that another field names", "POST " + versionsPath + " HTTP/1.1\r\n" + auth + "X-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n", []int{404}, true},
			{"a path that another field names", "GET /v1/customers/globex/versions HTTP/1.1\r\n" + auth + "X-Original-URL: " + versionsPath + "\r\n\r\n", []int{403}, true},
			{"another host's path", get("http://other.example/v1/customers/globex/versions"), []int{403}, true},
			{"another host's path to one's own", get("http://other.example" + versionsPath), []int{200}, true},
			{"dots", get("/v1/customers/acme/../globex/versions"), []int{307}, true},
			{"dots in disguise", get("/v1/customers/acme/%2e%2e/globex/versions"), []int{404}, true},
			{"a slash in disguise", get("/v1/customers/acme%2Fversions"), []int{404}, true},
			{"dots and slashes in disguise", get("/v1/customers/globex%2F..%2Facme/versions"), []int{403}, true},
			{"U+0000 in the customer", get("/v1/customers/acme%00/versions"), []int{403}, true},
			{"U+0000 in the table", get("/v1/customers/acme/tables/a%00b"), []int{400}, true},
			{"bytes that are no UTF-8 in the table", get("/v1/customers/acme/tables/%c0%ae%c0%ae"), []int{400}, true},
			{"a table of dots", "DELETE /v1/customers/acme/tables/%2e%2e/rows?writer=w HTTP/1.1\r\n" + auth + "\r\n", []int{404}, true},
			{"a table's name with a path to another", get("/v1/customers/acme/tables/a%2F..%2Ft"), []int{404}, true},
		} {
			want := tt.want
			if tt.open {
				want = append(want, http.StatusOK)
			}
			if got := talk(t, l.dial(t), tt.text+end); !slices.Equal(got, want) {
				t.Errorf("%s: answered with %v, want %v", tt.name, got, want)
			}
		}
	})
}

// A key opens no other customer, whatever of the request names it.
func TestAnotherCustomersTable(t *testing.T) {
	s := newSite(t, cloud.Config{})
	_, key := cloud.NewKey("globex", time.Now())
	if err := s.store.AddCustomer(t.Context(), cloud.Customer{ID: "globex", Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Register(t.Context(), "globex", "t", simple); err != nil {
		t.Fatal(err)
	}
	before, err := s.store.VersionsToken(t.Context(), "globex")
	if err != nil {
		t.Fatal(err)
	}
	body := s.batch(t, `["1",1,"a"]`)
	for _, route := range []string{"GET versions", "GET policy", "PUT report", "PUT tables/t/schema", "GET tables/t", "POST tables/t/rows", "DELETE tables/t/rows",
		"GET tables/t/summary", "POST tables/t/summary", "POST tables/t/manifest", "DELETE tables/t/rows?writer=w&take_over=true"} {
		method, path, _ := strings.Cut(route, " ")
		for _, spelled := range []string{"globex", "%67lobex", "GLOBEX", "globex%20", "globex%2e", "*"} {
			a := s.do(t, method, "/v1/customers/"+spelled+"/"+path, bytes.NewReader(body), asLines, func(r *http.Request) { r.Header.Set("Tidemark-Customer", "acme") })
			a.problem(t, wire.Forbidden)
		}
	}
	for name, a := range map[string]answer{
		"in the body":  s.do(t, http.MethodPut, "/v1/customers/acme/tables/u/schema", strings.NewReader(`{"customer":"globex","columns":[{"name":"id","type":"int"}],"key":["id"],"versioning":"rowversion"}`), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }),
		"in the query": s.do(t, http.MethodDelete, rowsPath+"?writer=w&customer=globex&table=t", nil),
		"in the host":  s.do(t, http.MethodGet, versionsPath, nil, func(r *http.Request) { r.Host = "globex.cloud.example" }),
		"in a field":   s.do(t, http.MethodDelete, rowsPath+"?writer=w", nil, func(r *http.Request) { r.Header.Set("X-Forwarded-Prefix", "/v1/customers/globex") }),
	} {
		if strings.Contains(a.body, "globex") && a.StatusCode < 400 {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if after, err := s.store.VersionsToken(t.Context(), "globex"); err != nil || after != before {
		t.Errorf("its versions were %q, and are %q (%v)", before, after, err)
	}
}

// Who announces a body and does not send it is let go of, with and without a
// key, whatever the answer is.
func TestBodiesThatDoNotCome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		l := newPipes()
		s.serve(t, l)
		key := "Authorization: Bearer " + s.key + "\r\n"
		for _, tt := range []struct {
			head string
			want int
		}{
			{"POST " + rowsPath + " HTTP/1.1\r\nHost: x\r\n", 401},
			{"POST " + rowsPath + " HTTP/1.1\r\nHost: x\r\n" + key, 400},
			{"GET " + versionsPath + " HTTP/1.1\r\nHost: x\r\n" + key, 200},
			{"POST /v1/enroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n", 400},
			{"POST /nothing HTTP/1.1\r\nHost: x\r\n", 404},
			{"GET /healthz HTTP/1.1\r\nHost: x\r\n", 200},
		} {
			for _, body := range []string{"Content-Length: 1000\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"} {
				if got := talk(t, l.dial(t), tt.head+body); len(got) != 1 || got[0] != tt.want {
					t.Errorf("%.60q: %v, want %d", tt.head, got, tt.want)
				}
			}
		}
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
			t.Errorf("afterwards: %d %s", a.StatusCode, a.body)
		}
	})
}

// Who does not send a head, and who does not take what is answered, is let go
// of.
func TestSlowClients(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.BodyTime, limits.RequestTime, limits.AnswerTime = time.Minute, time.Minute, time.Minute
		s := newSite(t, cloud.Config{Limits: limits})
		l := newPipes()
		s.serve(t, l)
		var all sync.WaitGroup
		defer all.Wait()
		all.Go(func() {
			if got := talk(t, l.dial(t), "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "); len(got) != 0 {
				t.Errorf("half a head: %v", got)
			}
		})
		conn := l.dial(t)
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
			t.Error(err)
		}
		for { // without an end, were the server to wait for somebody to take its answers
			if _, err := io.WriteString(conn, "GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("answers that nobody takes: %v", err)
				}
				return
			}
		}
	})
}
