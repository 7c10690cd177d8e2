package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/fleet"
	"tidemark/internal/wire"
)

var pages = []string{"/", "/?q=acme", "/customers/acme", "/decisions", "/agents", "/quarantine", "/rollouts", "/costs", "/costs?by=customer&table=acme", "/costs?customer=acme", "/nothing"}

// Nobody who is not signed in sees anything but the form.
func TestStrangers(t *testing.T) {
	s, ada, _ := newStore(t)
	customerKey := addCustomer(t, s, "acme", "Acme")
	b := serve(t, fleet.Config{Store: s, Operators: s})
	stranger := func(what string, b *browser, headers ...string) {
		t.Helper()
		for _, path := range pages {
			code, text, got := b.do("GET", path, nil, headers...)
			if code != http.StatusOK || got.Request.URL.Path != "/login" || strings.Contains(text, "acme<") || strings.Contains(text, "Acme") || strings.Contains(text, "Sign out") {
				t.Errorf("%s: GET %s: %d at %s: %s", what, path, code, got.Request.URL, text)
			}
		}
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			if code, _, _ := b.do(method, "/customers/acme", nil, headers...); code != http.StatusUnauthorized && code != http.StatusMethodNotAllowed {
				t.Errorf("%s: %s: %d", what, method, code)
			}
		}
	}
	stranger("nobody", b)
	stranger("an operator's key instead of a session", b, "Authorization", "Bearer "+ada)
	for _, cookie := range []string{"", "x", strings.Repeat("A", 300), strings.Repeat("A", 3000)} {
		stranger("a cookie of somebody's own", b, "Cookie", "tidemark_fleet="+cookie)
	}
	if code, text, _ := b.do("POST", "/login", url.Values{"key": {customerKey}}); code != http.StatusUnauthorized || !strings.Contains(text, "opens nothing here") {
		t.Errorf("a customer's key: %d %s", code, text)
	}
	for _, wrong := range []string{"", " ", ada + "a", ada[:len(ada)-1], strings.ToUpper(ada), "tmo_ada_"} {
		if code, _, _ := b.do("POST", "/login", url.Values{"key": {wrong}}); code != http.StatusUnauthorized {
			t.Errorf("key %q: %d", wrong, code)
		}
	}
	stranger("one who failed", b)
	b.signIn(ada)
	if text := b.get("/"); !strings.Contains(text, "acme") {
		t.Error(text)
	}
}

// An operator's key opens nothing of the API.
func TestOperatorKeyIsNoCustomers(t *testing.T) {
	s, _, _ := newStore(t)
	addCustomer(t, s, "ada", "of the same name as an operator")
	key, err := s.OperatorKeys(t.Context())
	must(t, err)
	api := cloud.New(cloud.Config{Store: s})
	server := newBrowser(t, listen(t, api))
	secret := addOperator(t, s, "cyd")
	for _, k := range []string{secret, strings.Replace(secret, "tmo_", "tmk_", 1)} {
		if code, _, _ := server.do("GET", "/v1/customers/ada/versions", nil, "Authorization", "Bearer "+k); code != http.StatusUnauthorized {
			t.Errorf("%d of %d keys: %d", 1, len(key), code)
		}
	}
}

func TestSessions(t *testing.T) {
	s, ada, bob := newStore(t)
	var clock atomic.Int64
	clock.Store(now.Unix())
	read := func() time.Time { return time.Unix(clock.Load(), 0).UTC() }
	logs, seen := observer.New(zap.InfoLevel)
	c := fleet.Config{Store: s, Operators: s, Now: read, Logger: zap.New(logs)}
	one := serve(t, c)
	two := serve(t, c) // another instance over the same store
	_, _, got := one.do("GET", "/agents?x=1", nil)
	if got.Request.URL.String() != one.url+"/login?next=%2Fagents%3Fx%3D1" {
		t.Errorf("at %s", got.Request.URL)
	}
	form := url.Values{"key": {ada}, "next": {"/agents?x=1"}}
	if _, _, got = one.do("POST", "/login", form); got.Request.URL.String() != one.url+"/agents?x=1" {
		t.Errorf("at %s", got.Request.URL)
	}
	other := one.other().signIn(bob)
	for _, to := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/login"} {
		b := one.other()
		if _, _, got := b.do("POST", "/login", url.Values{"key": {bob}, "next": {to}}); got.Request.URL.String() != one.url+"/" {
			t.Errorf("next %q leads to %s", to, got.Request.URL)
		}
	}
	if n := seen.FilterMessage("an operator signed in").Len(); n != 7 {
		t.Errorf("%d are in the log", n)
	}
	for _, e := range seen.All() {
		for _, v := range e.ContextMap() {
			if text, ok := v.(string); ok && (strings.Contains(text, ada[8:]) || strings.Contains(text, bob[8:])) {
				t.Errorf("a key is in the log: %v", e)
			}
		}
	}

	// The session is one of every instance.
	u, err := url.Parse(one.url)
	must(t, err)
	cookie := one.client.Jar.Cookies(u)[0]
	in := func(b *browser, value string) bool {
		t.Helper()
		_, text, _ := b.other().do("GET", "/", nil, "Cookie", "tidemark_fleet="+value)
		return strings.Contains(text, "Sign out")
	}
	if !in(two, cookie.Value) {
		t.Error("another instance does not know the session")
	}
	clock.Add(2)
	eve := one.other().signIn(addOperator(t, s, "eve"))
	if !in(two, eve.client.Jar.Cookies(u)[0].Value) {
		t.Error("another instance knows the keys of before alone")
	}
	for i := range cookie.Value {
		changed := []byte(cookie.Value)
		changed[i] ^= 4
		if i%5 == 0 && in(one, string(changed)) {
			t.Errorf("a session that was changed at %d is one", i)
		}
	}

	// A session ends with its key, for its operator alone.
	_, next := cloud.NewOperatorKey("ada", read())
	must(t, s.RotateOperator(t.Context(), next, read(), read()))
	clock.Add(16)
	if in(one, cookie.Value) {
		t.Error("the key was rotated, and its session goes on")
	}
	if text := other.get("/"); !strings.Contains(text, "Sign out") {
		t.Error("the other operator is signed out, too")
	}

	// And with its time.
	clock.Add(int64((10 * time.Hour).Seconds()))
	if _, text, _ := other.do("GET", "/", nil); strings.Contains(text, "Sign out") {
		t.Error("the session goes on for ever")
	}

	// Signing out forgets it.
	other.signIn(bob)
	if _, _, got := other.do("POST", "/logout", nil); got.Request.URL.Path != "/login" {
		t.Errorf("at %s", got.Request.URL)
	}
	if _, text, _ := other.do("GET", "/", nil); strings.Contains(text, "Sign out") {
		t.Error("still signed in")
	}
}

func TestHeaders(t *testing.T) {
	s, ada, _ := newStore(t)
	for _, secure := range []bool{false, true} {
		b := serve(t, fleet.Config{Store: s, Operators: s, Secure: secure})
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		_, _, got := b.do("POST", "/login", url.Values{"key": {ada}})
		cookie := got.Header.Get("Set-Cookie")
		for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=36000"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("cookie %q lacks %s", cookie, want)
			}
		}
		if strings.Contains(cookie, "; Secure") != secure || strings.HasPrefix(cookie, "__Host-") != secure {
			t.Errorf("secure %t: %q", secure, cookie)
		}
		for _, path := range append(pages, "/login", "/style.css", "/fleet.js") {
			_, text, got := b.do("GET", path, nil)
			csp := got.Header.Get("Content-Security-Policy")
			if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") ||
				got.Header.Get("X-Content-Type-Options") != "nosniff" || got.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %v", path, got.Header)
			}
			if strings.Contains(text, "style=\"") || strings.Contains(text, "<script>") || strings.Contains(text, "http://") {
				t.Errorf("%s has what its policy forbids, or is from elsewhere", path)
			}
		}
		// A form of another page signs nobody in or out.
		for _, path := range []string{"/login", "/logout"} {
			for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
				if code, _, _ := b.do("POST", path, url.Values{"key": {ada}}, h...); code != http.StatusForbidden {
					t.Errorf("%s from elsewhere: %d", path, code)
				}
			}
		}
	}
}

// Who tries keys has to wait; who has a session does not.
func TestAttemptsAreBounded(t *testing.T) {
	s, ada, _ := newStore(t)
	var clock atomic.Int64
	clock.Store(now.Unix())
	b := serve(t, fleet.Config{Store: s, Operators: s, Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	signedIn := b.other().signIn(ada)
	guess := url.Values{"key": {"tmo_ada_guess"}}
	for i := range 10 {
		if code, _, _ := b.do("POST", "/login", guess); code != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d", i, code)
		}
	}
	code, _, got := b.do("POST", "/login", guess)
	if wait := got.Header.Get("Retry-After"); code != http.StatusTooManyRequests || wait != "6" {
		t.Errorf("%d, Retry-After %q", code, wait)
	}
	if code, _, _ := b.do("POST", "/login", url.Values{"key": {ada}}); code != http.StatusTooManyRequests {
		t.Errorf("the right key at last: %d", code)
	}
	signedIn.get("/")
	clock.Add(6)
	b.signIn(ada)
}

// ill makes a small fleet with everything that there is to show.
func ill(t testing.TB, s cloud.Store) {
	t.Helper()
	for id, name := range map[string]string{"acme": "Acme Ltd, Leeds", "beta": "", "gone": "Silent & Sons", "held": "", "new": "Not installed yet", "well": "All's well"} {
		addCustomer(t, s, id, name)
	}
	r := healthy(10)
	r.Tables[0].Lag, r.Tables[0].State, r.Tables[0].Decision, r.Tables[0].Reason = 7200, "behind", "upload", "delta of 1,204 rows"
	r.Tables[1].Problem, r.Tables[1].State = &wire.Trouble{Kind: "permission", Text: "SELECT was denied on dbo.order_lines", Since: at(time.Hour)}, "problem"
	r.Tables[2].State = "disabled"
	r.Tables[3].Lag, r.Tables[3].State = 90, "behind"
	r.Tables[4].Lag, r.Tables[4].State = 3*86400, "behind"
	r.Tables[5].Quarantine = 12
	report(t, s, "acme", 5*time.Minute, r)
	r = healthy(10)
	r.Version, r.OS = "1.2.2", "linux/amd64"
	r.Tables[0].Lag, r.Tables[0].State, r.Tables[0].Decision, r.Tables[0].Reason = 30, "behind", "diff", "row counts differ"
	report(t, s, "beta", time.Minute, r)
	report(t, s, "gone", 26*time.Hour, healthy(10))
	r = healthy(8)
	r.Sources[0].Problem = &wire.Trouble{Kind: "ceiling", Text: "an open transaction holds changes back", Since: at(20 * time.Minute)}
	report(t, s, "held", time.Minute, r)
	report(t, s, "well", 2*time.Minute, healthy(9))
}

func TestFleet(t *testing.T) {
	s, ada, _ := newStore(t)
	ill(t, s)
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	order := func(path string) string {
		var ids []string
		for _, m := range regexp.MustCompile(`<th scope="row" class="c"><a href="/customers/([^"]+)">`).FindAllStringSubmatch(b.get(path), -1) {
			ids = append(ids, m[1])
		}
		return strings.Join(ids, " ")
	}
	for path, want := range map[string]string{
		"/": "held gone acme beta new well", "/?show=problems": "held acme", "/?show=silent": "gone", "/?show=behind": "acme beta", "/?show=quarantine": "acme",
		"/?show=unheard": "new", "/?show=nonsense": "held gone acme beta new well", "/?page=9": "held gone acme beta new well",
		"/?q=leeds": "acme", "/?q=1.2.2": "beta", "/?q=LINUX": "beta", "/?q=open+transaction": "held", "/?q=e": "held gone acme beta new well", "/?q=nobody": "",
		"/?q=crm.visits": "gone acme beta", "/?q=DBO.order_lines": "acme held gone beta well", "/?q=order_lines": "acme", "/?q=sql01&show=behind": "acme beta",
	} {
		if got := order(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if _, _, got := b.do("GET", "/?q=ACME", nil); got.Request.URL.Path != "/customers/acme" {
		t.Errorf("a customer's ID leads to %s", got.Request.URL)
	}
	shows(t, b.get("/"), `<td class="l5" title="dbo.orders: 2h behind">2h</td>`, `<td class="l7" title="dbo.order_lines: SELECT was denied on dbo.order_lines">!</td>`,
		`<td class="l1" title="dbo.customers: disabled">–</td>`, `<td class="l3" title="dbo.products: 1m 30s behind">1m</td>`, `<td class="l6" title="dbo.stock: 3d behind">3d</td>`,
		`<td class="l2 q" title="dbo.invoices: up to date, 12 rows in quarantine">·</td>`, `<td class="l1">?</td>`, `silent for 1d 2h`, `never reported`, `an open transaction holds changes back`, `<b>6</b>`)
	shows(t, b.get("/customers/acme"), "Acme Ltd, Leeds", "SELECT was denied", "2h</td>", "delta of 1,204 rows", "5m ago", "No batch is remembered", "10,000")
	shows(t, b.get("/customers/new"), "No report yet")
	shows(t, b.get("/customers/held"), "Source <bdi>erp</bdi>", "for 20m")
	shows(t, b.get("/decisions"), "row counts differ", "delta of 1,204 rows", "5m 40s ago")
	shows(t, b.get("/decisions?q=beta"), "row counts differ", "!delta of")
	shows(t, b.get("/agents"), "1.2.2", "1.2.3", "windows/amd64", "of 5 customers")
	shows(t, b.get("/quarantine"), "12 rows", "dbo.invoices")
	shows(t, b.get("/quarantine?q=beta"), "No row waits")
	shows(t, b.get("/rollouts"), "No rollouts")
	shows(t, b.get("/costs"), "Nothing was spent")
	for _, path := range []string{"/customers/nobody", "/customers/%2e%2e%2f", "/nothing"} {
		if code, text, _ := b.do("GET", path, nil); code != http.StatusNotFound || !strings.Contains(text, "There is no such") && !strings.Contains(text, "there is no such") {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// Lists hold the newest, and those with most rows; a search finds the others.
func TestSearchBeyondLists(t *testing.T) {
	s, ada, _ := newStore(t)
	for i := range 26 {
		r := healthy(20)
		for k := range r.Tables {
			r.Tables[k].Decision, r.Tables[k].Quarantine = "upload", 100
		}
		id, old := fmt.Sprintf("site-%02d", i), time.Duration(0)
		if i == 25 {
			id, old = "small", time.Hour
			r.Tables[3].Reason, r.Tables[3].Quarantine = "delta of 3 rows", 1
		}
		addCustomer(t, s, id, "")
		report(t, s, id, old, r)
	}
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	shows(t, b.get("/decisions"), "The newest 200 alone", "!small</bdi>")
	for _, q := range []string{"small", "delta+of+3"} {
		shows(t, b.get("/decisions?q="+q), "small</bdi>", "delta of 3 rows", "!alone", "!site-00")
	}
	shows(t, b.get("/quarantine"), "The 500 with most rows alone", `!<td class="n">1</td>`)
	shows(t, b.get("/quarantine?q=SMALL"), "small</bdi>", `<td class="n">1</td>`, "!alone", "!site-00")
}

// shows looks for texts; one with "!" in front must not be there.
func shows(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if absent, not := strings.CutPrefix(text, "!"); strings.Contains(page, absent) == not {
			t.Errorf("%q: %s", text, page)
		}
	}
}

func TestEmptyFleet(t *testing.T) {
	s, ada, _ := newStore(t)
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	for path, text := range map[string]string{"/": "No customers yet", "/decisions": "No decisions", "/agents": "No agents", "/quarantine": "None", "/rollouts": "No rollouts", "/costs": "Nothing was spent", "/?q=x": "No customers yet"} {
		shows(t, b.get(path), text)
	}
}

// Names and texts of sites are text, however they look.
func TestHostileNames(t *testing.T) {
	s, ada, _ := newStore(t)
	const script = `<script>alert(1)</script>`
	rtl, long := "\u202eמסד\u202c", strings.Repeat("long", 60)
	addCustomer(t, s, "acme", `Acme "><img src=x onerror=alert(2)>`)
	r := healthy(0)
	r.Version, r.Host, r.OS, r.Paused = script+"v", script+"h", "javascript:alert(3)", "'\"</td>"
	r.Sources[0].Problem = &wire.Trouble{Kind: script, Text: rtl + script}
	for i, name := range []string{script, rtl, long, `a"b'c&d`, "javascript:alert(4)", "{{.}}", "x\u2028y"} {
		r.Tables = append(r.Tables, wire.TableReport{Name: name, State: script, Decision: "upload", Reason: `"><b>` + script, Decided: at(time.Duration(i) * time.Minute), Synced: at(0),
			Lag: int64(i) * 100, Quarantine: 1, Problem: &wire.Trouble{Kind: "k", Text: script}})
	}
	report(t, s, "acme", time.Minute, r)
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	q := url.QueryEscape(script)
	for _, path := range append(pages, "/?q="+q, "/decisions?q="+q, "/costs?range="+q, "/costs?by=customer&table="+q+"&q="+q, "/costs?customer="+q, "/?show="+q+"&page=-1", "/customers/"+url.PathEscape(script), "/customers/acme?table="+q, "/login?next="+q) {
		_, text, _ := b.do("GET", path, nil)
		for _, bad := range []string{"<script>alert", "<img src=x", `"><b>`, `href="javascript:`} {
			if strings.Contains(text, bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
	}
	shows(t, b.get("/"), "&lt;script&gt;alert(1)", "<bdi>"+rtl+"</bdi>")
	shows(t, b.get("/"), "…")
}

// broken is a store that does not answer.
type broken struct {
	cloud.Store
	down atomic.Bool
	asks atomic.Int64
}

func (s *broken) ListCustomers(ctx context.Context) ([]cloud.Customer, error) {
	s.asks.Add(1)
	if s.down.Load() {
		return nil, errors.New("secret detail of the database")
	}
	return s.Store.ListCustomers(ctx)
}

// A store that is away is told, without its words, and is not asked more than
// it takes; nobody looks, nobody asks.
func TestStoreAway(t *testing.T) {
	s, ada, _ := newStore(t)
	addCustomer(t, s, "acme", "")
	var clock atomic.Int64
	clock.Store(now.Unix())
	away := &broken{Store: s}
	away.down.Store(true)
	b := serve(t, fleet.Config{Store: away, Operators: s, Now: func() time.Time { return time.Unix(clock.Load(), 0).UTC() }})
	b.do("GET", "/", nil)
	if n := away.asks.Load(); n != 0 {
		t.Errorf("a stranger made it ask %d times", n)
	}
	code, text, _ := b.do("POST", "/login", url.Values{"key": {ada}})
	if code != http.StatusServiceUnavailable || strings.Contains(text, "secret detail") {
		t.Errorf("%d %s", code, text)
	}
	away.down.Store(false)
	b.signIn(ada)
	asked := away.asks.Load()
	for range 20 {
		b.get("/")
	}
	if n := away.asks.Load(); n != asked {
		t.Errorf("the same snapshot was read %d times", n-asked)
	}
	// It goes away again: what is known is shown, with its age.
	away.down.Store(true)
	clock.Add(200)
	shows(t, b.get("/"), "acme", "the store does not answer")
}

// locked are operators' keys that cannot be read.
type locked struct{ asks atomic.Int64 }

func (l *locked) OperatorKeys(context.Context) ([]cloud.OperatorKey, error) {
	l.asks.Add(1)
	return nil, errors.New("secret detail of the database")
}

// While the keys cannot be read, nobody is let in, and those who ask do not
// make the store be asked each time.
func TestKeysAway(t *testing.T) {
	s, ada, _ := newStore(t)
	keys := &locked{}
	b := serve(t, fleet.Config{Store: s, Operators: keys})
	for range 10 {
		for _, got := range []func() (int, string, *http.Response){
			func() (int, string, *http.Response) { return b.do("POST", "/login", url.Values{"key": {ada}}) },
			func() (int, string, *http.Response) { return b.do("GET", "/", nil, "Cookie", "tidemark_fleet=x") },
		} {
			if code, text, r := got(); code != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" || strings.Contains(text, "secret") {
				t.Fatalf("%d %s", code, text)
			}
		}
	}
	if n := keys.asks.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A batch that comes in by the API is in the customer's journal, with the ID
// of its request.
func TestJournal(t *testing.T) {
	s, ada, _ := newStore(t)
	key := addCustomer(t, s, "acme", "")
	typ, err := wire.ParseType("int")
	must(t, err)
	schema := wire.Schema{Columns: []wire.Column{{Name: "id", Type: typ}}, Key: []string{"id"}, Versioning: wire.ByRowVersion}
	for _, name := range []string{"dbo.orders", "dbo.stock"} {
		_, err = s.Register(t.Context(), "acme", name, schema)
		must(t, err)
	}
	api := listen(t, cloud.New(cloud.Config{Store: s}))
	h := wire.Header{Protocol: wire.Protocol, Kind: wire.Load, Start: true, Complete: true, Watermark: new(uint64), Seq: 1, ID: strings.Repeat("1", 32),
		Writer: wire.Writer{ID: "w"}, Epoch: "e", Schema: schema.Fingerprint(), Columns: []string{"id"}, Rows: 2}
	body, err := wire.EncodeBody(nil, h, []byte("[\"1\",1]\n[\"2\",2]\n"))
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), "POST", api+"/v1/customers/acme/tables/dbo.orders/rows", strings.NewReader(string(body)))
	must(t, err)
	for name, value := range map[string]string{"Authorization": "Bearer " + key, "Content-Type": wire.ContentType, "Content-Encoding": "zstd", wire.HeaderRequestID: "REQUEST-OF-THE-AGENT"} {
		r.Header.Set(name, value)
	}
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	got, err := b.client.Do(r)
	must(t, err)
	if text := readAll(got); got.StatusCode != http.StatusOK {
		t.Fatal(text)
	}
	must(t, got.Body.Close())
	shows(t, b.get("/customers/acme"), "REQUEST-OF-THE-AGENT", "<td>load</td>", "2 inserted", fmt.Sprintf("%d B", len(body)), "not reported", "No report yet")
	shows(t, b.get("/customers/acme?table=dbo.orders"), "REQUEST-OF-THE-AGENT", "of <bdi>dbo.orders</bdi>")
	shows(t, b.get("/customers/acme?table=dbo.stock"), "!REQUEST-OF-THE-AGENT", "No batch is remembered")
}

// What things cost is told of tables, of a table's customers, and of
// endpoints; a search stays with that.
func TestCosts(t *testing.T) {
	s, ada, _ := newStore(t)
	addCustomer(t, s, "acme", "")
	hour := now.Truncate(time.Hour)
	sums := func(n int64) cost.Sums {
		return cost.Sums{Requests: n, Time: time.Duration(n) * time.Minute, Rows: 100 * n, Changed: 10 * n, Read: 1000 * n, Hit: 7 * n}
	}
	must(t, s.KeepCosts(t.Context(), []cost.Record{{Span: cost.Hour, At: hour, Instance: "a", Window: &cost.Window{
		Endpoints: []cost.Line{{Name: "POST rows", Dataset: "dbo.orders", Sums: sums(9)}, {Name: "GET versions", Sums: sums(1)}, {Name: "POST manifest", Dataset: "dbo.stock", Sums: sums(5)}},
		Customers: []cost.Line{{Name: "acme", Dataset: "dbo.orders", Sums: sums(6)}, {Name: cost.Other, Dataset: "dbo.orders", Sums: sums(3)}, {Name: "beta", Dataset: "dbo.stock", Sums: sums(5)},
			{Name: "acme", Sums: sums(1)}},
	}}}))
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	const head = `<th scope="row">`
	tables := b.get("/costs")
	shows(t, tables, head+`<a href="/costs?by=customer&amp;table=dbo.orders"><bdi>dbo.orders</bdi></a>`, head+"<bdi>(no table", "9m", "the store does not count blocks", "!I/O budget", "!burst")
	shows(t, b.get("/costs?by=customer&table=dbo.orders"), "of table <bdi>dbo.orders</bdi>", head+`<a href="/customers/acme"><bdi>acme</bdi></a>`, head+"<bdi>(other)</bdi>", "6m", "!beta",
		`<input name="table" type="hidden" value="dbo.orders">`, `href="/costs?by=customer&amp;range=7d&amp;table=dbo.orders"`)
	shows(t, b.get("/costs?by=endpoint&range=7d"), head+"<bdi>POST manifest</bdi>", head+"<bdi>POST rows</bdi>", "!dbo.orders</bdi>", `<input name="range" type="hidden" value="7d">`)
	shows(t, b.get("/costs?by=customer&q=bet"), "beta", "!acme</bdi>", `href="/costs?by=customer&amp;q=bet&amp;range=30d"`, `href="/costs?by=endpoint"`)
	shows(t, b.get("/costs?table=dbo.none"), "Nothing was spent")
	shows(t, b.get("/customers/acme"), `<a href="/costs?customer=acme">What it costs`)
	shows(t, b.get("/costs?customer=acme"), `of <a href="/customers/acme">`, "<bdi>dbo.orders</bdi>", "6m", "!dbo.stock", `href="/costs?by=customer"`, `href="/costs?customer=acme&amp;range=7d"`,
		`<input name="customer" type="hidden" value="acme">`, "are not told")
	shows(t, b.get("/costs?customer=acme&by=endpoint"), "<bdi>dbo.orders</bdi>", "!POST rows")
	for i := range 100 { // whatever is asked for, no more is kept than is bounded
		shows(t, b.get(fmt.Sprintf("/costs?table=%d", i)), "Nothing was spent")
	}
}

// Where the database counts, blocks are told, and where to have the burst told.
func TestCostsThatAreCounted(t *testing.T) {
	s, ada, _ := newStore(t)
	counters := func(hours int, read int64) cost.Record {
		at := now.Truncate(time.Hour).Add(time.Duration(hours) * time.Hour)
		return cost.Record{Span: cost.Hour, At: at, Counters: &cost.Counters{At: at, Log: 100 * read, Datasets: map[string]cost.Counted{"dbo.orders": {Read: read, Hit: 3 * read, Changed: read, RowBytes: 100}}}}
	}
	w := &cost.Window{Endpoints: []cost.Line{{Name: "POST rows", Dataset: "dbo.orders", Sums: cost.Sums{Requests: 4, Read: 1200, Hit: 9, Changed: 700}}},
		Customers: []cost.Line{{Name: "acme", Dataset: "dbo.orders", Sums: cost.Sums{Requests: 4, Read: 1200, Hit: 9, Changed: 700}}}}
	must(t, s.KeepCosts(t.Context(), []cost.Record{counters(-1, 50_000), counters(0, 64_321), {Span: cost.Hour, At: now.Truncate(time.Hour).Add(-time.Hour), Instance: "a", Window: w}}))
	b := serve(t, fleet.Config{Store: s, Operators: s}).signIn(ada)
	shows(t, b.get("/costs"), "Blocks read", "for requests and all else", `<td class="n">14,321</td><td class="n">42,963</td><td class="n">1.4 MiB</td>`, "<code>serve --io-volume</code>", "blocks read an hour; 14.3K in all")
	shows(t, b.get("/costs?by=endpoint"), "POST rows", `<td class="n">1,200</td>`, "(background)", `<td class="n">13,121</td>`)
	shows(t, b.get("/costs?by=customer"), "for their requests", "took most time", `<td class="n">1,200</td><td class="n">9</td><td class="n">68 KiB</td>`)
}

// volume is one of 500 GiB.
var volume = cost.Volume{Baseline: 1500, Burst: 3000, Credits: 5.4e6}

// balanceAt has so much left, at so many operations a second.
func balanceAt(v cost.Volume, rate, left float64) func() (cost.Balance, bool) {
	b := cost.NewBalance(v)
	b.Spend(rate, time.Second)
	b.Left = left
	return func() (cost.Balance, bool) { return *b, true }
}

// The model of the volume is on the page of costs; when its burst ends soon,
// the first page says so.
func TestBudget(t *testing.T) {
	s, ada, _ := newStore(t)
	addCustomer(t, s, "acme", "")
	for name, test := range map[string]struct {
		balance      func() (cost.Balance, bool)
		costs, fleet []string
	}{
		"well":     {balanceAt(volume, 800, 5.4e6), []string{"does not run out as things are", "5,400,000 of 5,400,000", "800 a second", "1,500 earned"}, []string{"!volume"}},
		"in time":  {balanceAt(volume, 1600, 5.4e6), []string{"runs out in 15h"}, []string{"!volume"}},
		"soon":     {balanceAt(volume, 2500, 5.4e6), []string{`<p class="bad">The burst runs out in 1h 30m if things go on.`}, []string{"The burst runs out in 1h 30m", `<a href="/costs">`}},
		"over":     {balanceAt(volume, 2500, 0), []string{"is used up", "0 of 5,400,000"}, []string{"The burst is used up"}},
		"no burst": {balanceAt(cost.Volume{Baseline: 3000, Burst: 3000}, 2500, 0), []string{"has no burst", "2,500 operations a second are spent", "of 3,000"}, []string{"!volume"}},
		"no model": {func() (cost.Balance, bool) { return cost.Balance{}, false }, []string{"!I/O budget"}, []string{"!volume"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := serve(t, fleet.Config{Store: s, Operators: s, Balance: test.balance}).signIn(ada)
			shows(t, b.get("/costs"), test.costs...)
			shows(t, b.get("/"), test.fleet...)
		})
	}
}
