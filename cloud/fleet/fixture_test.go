package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/fleet"
	"tidemark/cloud/ledger"
	"tidemark/cloud/sqlite"
	"tidemark/internal/pgtest"
	"tidemark/internal/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := pgtest.Stop(); err != nil && code == 0 {
			code = 1
		}
		os.Exit(code)
	}))
}

// now is the present of all tests but those with sessions that end.
var now = time.Date(2026, 11, 25, 9, 30, 0, 0, time.UTC)

// newStore is an empty store with two operators, and their keys.
func newStore(t testing.TB) (s *sqlite.Store, ada, bob string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "cloud.db"))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s, addOperator(t, s, "ada"), addOperator(t, s, "bob")
}

func addOperator(t testing.TB, s cloud.Store, name string) string {
	t.Helper()
	secret, key := cloud.NewOperatorKey(name, now)
	must(t, s.AddOperator(t.Context(), key))
	return secret
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// a browser is one that is signed in, or not.
type browser struct {
	t      testing.TB
	url    string
	client *http.Client
}

// serve shows a store, and returns a browser.
func serve(t testing.TB, c fleet.Config) *browser {
	t.Helper()
	if c.Now == nil {
		c.Now = func() time.Time { return now }
	}
	c.Version = "1.2.3"
	page := fleet.New(c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); page.Run(ctx) }()
	server := httptest.NewServer(page)
	t.Cleanup(func() {
		server.Close()
		cancel()
		<-ended
	})
	return newBrowser(t, server.URL)
}

func newBrowser(t testing.TB, url string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, url, &http.Client{Jar: jar, Transport: transport, Timeout: time.Minute}}
}

// other is a browser with no session.
func (b *browser) other() *browser { return newBrowser(b.t, b.url) }

func (b *browser) do(method, path string, form url.Values, headers ...string) (int, string, *http.Response) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	must(b.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	got, err := b.client.Do(r)
	must(b.t, err)
	defer func() { _ = got.Body.Close() }()
	var text strings.Builder
	if _, err := fmt.Fprint(&text, readAll(got)); err != nil {
		b.t.Fatal(err)
	}
	return got.StatusCode, text.String(), got
}

func readAll(r *http.Response) string {
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

func (b *browser) signIn(key string) *browser {
	b.t.Helper()
	if code, text, _ := b.do("POST", "/login", url.Values{"key": {key}}); code != http.StatusOK || !strings.Contains(text, "Sign out") {
		b.t.Fatalf("sign in: %d %s", code, text)
	}
	return b
}

func (b *browser) get(path string) string {
	b.t.Helper()
	code, text, _ := b.do("GET", path, nil)
	if code != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, code, text)
	}
	return text
}

func addCustomer(t testing.TB, s cloud.Store, id, name string) string {
	t.Helper()
	secret, key := cloud.NewKey(id, now)
	must(t, s.AddCustomer(t.Context(), cloud.Customer{ID: id, Name: name, Created: now.AddDate(0, -3, 0)}, key))
	return secret
}

// report puts a report that was made so long ago; the site's clock is a year
// ahead, which must not matter.
func report(t testing.TB, s cloud.Store, id string, old time.Duration, r wire.Report) {
	t.Helper()
	shift := now.Add(-old).AddDate(1, 0, 0).Sub(r.Time)
	r.Time = r.Time.Add(shift)
	times := []*time.Time{&r.Started}
	for i := range r.Tables {
		times = append(times, &r.Tables[i].Decided, &r.Tables[i].Synced)
	}
	for i := range r.Sources {
		times = append(times, &r.Sources[i].Probed)
		if p := r.Sources[i].Problem; p != nil {
			times = append(times, &p.Since)
		}
	}
	for _, at := range times {
		if !at.IsZero() {
			*at = at.Add(shift)
		}
	}
	document, err := json.Marshal(r)
	must(t, err)
	must(t, s.PutReport(t.Context(), cloud.Report{Customer: id, Received: now.Add(-old), Document: document}))
}

// at is so long before a report is made.
func at(ago time.Duration) time.Time { return now.Add(-ago) }

func rows(n int64) *int64 { return &n }

var names = []string{"dbo.orders", "dbo.order_lines", "dbo.customers", "dbo.products", "dbo.stock", "dbo.invoices", "dbo.payments", "dbo.suppliers", "crm.contacts", "crm.visits"}

// healthy is the report of a site on which all is well.
func healthy(n int) wire.Report {
	r := wire.Report{Time: now, Version: "1.2.3", OS: "windows/amd64", Host: "SQL01", Started: at(50 * time.Hour),
		Sources: []wire.SourceReport{{Name: "erp", Server: "Microsoft SQL Server 2019", Probed: at(time.Minute)}}}
	for i := range n {
		name := names[i%len(names)]
		if i >= len(names) {
			name = fmt.Sprintf("%s_%d", name, i/len(names))
		}
		r.Tables = append(r.Tables, wire.TableReport{Name: name, Source: "erp", State: "ok", Decision: "skip", Rule: 3, Reason: "unchanged, 7 of 30",
			Decided: at(40 * time.Second), Synced: at(40 * time.Second), Rows: rows(int64(1000 * (i + 1)))})
	}
	return r
}

func listen(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// lines is a cloud.RowSource.
type lines struct {
	text []string
	at   int
	buf  [][]byte
}

func newLines(text []string) *lines { return &lines{text: text} }

func (l *lines) Rewind() error {
	l.at = 0
	return nil
}

func (l *lines) Next() (row cloud.Row, err error) {
	if l.at == len(l.text) {
		return row, io.EOF
	}
	if l.buf, err = wire.SplitRow([]byte(l.text[l.at]), l.buf); err != nil {
		return row, err
	}
	row.Index = l.at
	l.at++
	row.Version, row.Epoch, err = ledger.ParseStamp(l.buf[0][1 : len(l.buf[0])-1])
	row.Values = l.buf[1:]
	return row, err
}
