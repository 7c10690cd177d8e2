package fleet_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/png"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/cloud/fleet"
	"tidemark/cloud/rollout"
	"tidemark/internal/wire"
)

// chromium is a headless browser, signed in.
type chromium struct {
	t       testing.TB
	program string
	url     string

	mu      sync.Mutex
	painted []time.Duration // first contentful paints
	asked   map[string]int  // how often, by path
}

// measure goes along with the page's script.
const measure = `new PerformanceObserver((list) => {
  for (const e of list.getEntries())
    if (e.name === "first-contentful-paint") fetch("/painted?ms=" + e.startTime, { method: "POST" });
}).observe({ type: "paint", buffered: true });`

// newChromium shows pages of b to a browser of its own, in b's session. Their
// script tells when the page was painted, too, and they may be framed.
func newChromium(t testing.TB, b *browser) *chromium {
	t.Helper()
	c := &chromium{t: t, asked: map[string]int{}}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			c.program = path
			break
		}
	}
	if c.program == "" {
		t.Skip("no Chromium is installed: what the pages hold is tested without it")
	}
	script := b.get("/fleet.js") + later + measure
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked[r.URL.Path]++
		c.mu.Unlock()
		switch r.URL.Path {
		case "/fleet.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(script))
			return
		case "/frames":
			writeFrames(w, r.URL.Query())
			return
		case "/renewing":
			_ = renewing.Execute(w, r.URL.Query().Get("path"))
			return
		case "/renewed":
			c.renewed(r.Context(), r.URL.Query().Get("path"))
			return
		case "/painted":
			ms, err := strconv.ParseFloat(r.URL.Query().Get("ms"), 64)
			if err == nil {
				c.mu.Lock()
				c.painted = append(c.painted, time.Duration(ms*float64(time.Millisecond)))
				c.mu.Unlock()
			}
			return
		}
		out, err := http.NewRequestWithContext(r.Context(), r.Method, b.url+r.URL.RequestURI(), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		got, err := b.client.Do(out)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = got.Body.Close() }()
		for k, v := range got.Header {
			w.Header()[k] = v
		}
		w.Header().Del("Content-Length")
		w.Header().Del("X-Frame-Options")
		w.Header().Set("Content-Security-Policy", strings.Replace(got.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'", "frame-ancestors 'self'", 1)+"; connect-src 'self'")
		w.WriteHeader(got.StatusCode)
		_, _ = w.Write([]byte(readAll(got)))
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *chromium) browse(args ...string) []byte {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.program, append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
		"--user-data-dir=" + c.t.TempDir(),
	}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+c.t.TempDir(), "TZ=UTC")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("%v\n%s", err, errOut.String())
	}
	if strings.Contains(errOut.String(), "Content Security Policy") {
		c.t.Error(errOut.String())
	}
	return out
}

// dark is the preference for dark colours, as pages see it.
const dark = "--blink-settings=preferredColorScheme=0"

// TestBrowser shows the pages. SCREENSHOTS names a directory to leave pictures
// in, for people to look at.
func TestBrowser(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	all := dir != ""
	if !all {
		dir = t.TempDir()
	}
	s, ada, _ := newStore(t)
	ill(t, s)
	crowd(t, s, 60)
	spend(t, s)
	batches(t, s)
	roll(t, s)
	b := serve(t, fleet.Config{Store: s, Operators: s, Balance: balanceAt(volume, 2500, 4e6)})
	login := newChromium(t, b.other())
	c := newChromium(t, b.signIn(ada))
	dom := string(c.browse("--dump-dom", c.url+"/"))
	for _, text := range []string{"never reported", "an open transaction holds changes back", `title="dbo.orders: 2h behind"`} {
		if !strings.Contains(dom, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
	for _, width := range []int{1280, 768, 360} {
		c.fits(width, append(slices.Clone(pages), "/?q=orders_2", "/customers/acme?table=dbo.orders", "/customers/held", "/costs?by=endpoint&range=7d", "/decisions?q=nobody"))
	}
	c.renews("/agents")

	type shot struct{ name, path string }
	shots := []shot{{"fleet", "/"}, {"customer", "/customers/acme"}}
	if all {
		shots = append(shots, shot{"decisions", "/decisions"}, shot{"agents", "/agents"}, shot{"quarantine", "/quarantine"}, shot{"rollouts", "/rollouts"}, shot{"costs", "/costs"}, shot{"customers", "/costs?by=customer"}, shot{"search", "/?q=orders_2"}, shot{"nothing", "/?q=nobody"})
	}
	for _, shot := range shots {
		phone := c.url + "/frames?width=390&to=" + url.QueryEscape(shot.path)
		for kind, args := range map[string][]string{"light": {"--window-size=1280,1000", c.url + shot.path}, "dark": {"--window-size=1280,1000", dark, c.url + shot.path}, "phone": {"--window-size=500,900", phone}} {
			if !all && kind != "light" {
				continue
			}
			file := filepath.Join(dir, shot.name+"-"+kind+".png")
			c.browse(append([]string{"--screenshot=" + file}, args...)...)
			looksDrawn(t, file)
		}
	}
	file := filepath.Join(dir, "login.png")
	login.browse("--window-size=900,600", "--screenshot="+file, login.url+"/")
	looksDrawn(t, file)
}

// looksDrawn tells a page with text and colours from an empty one.
func looksDrawn(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer func() { _ = f.Close() }()
	picture, _, err := image.Decode(f)
	must(t, err)
	colours := map[[3]uint32]int{}
	b := picture.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r, g, b}]++
		}
	}
	if len(colours) < 20 {
		t.Errorf("%s has %d colours: is it drawn?", filepath.Base(file), len(colours))
	}
}

// crowd adds customers as a fleet has them: most are well.
func crowd(t testing.TB, s cloud.Store, n int) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("site-%04d", i)
		addCustomer(t, s, id, fmt.Sprintf("Branch %d", i))
		report(t, s, id, time.Duration(i%25)*time.Minute, typical(i, 40))
	}
}

// typical is the report of site i.
func typical(i, tables int) wire.Report {
	r := healthy(tables)
	r.Host, r.Version = fmt.Sprintf("SQL-%04d", i), []string{"1.2.3", "1.2.3", "1.2.3", "1.2.2", "1.1.9"}[i%5]
	if i%4 == 1 {
		r.OS = "linux/amd64"
	}
	for k := range r.Tables {
		t, h := &r.Tables[k], (i*2654435761+k*40503)%9973
		t.Decided, t.Synced = at(time.Duration(h%3000)*time.Second), at(time.Duration(h%3000)*time.Second)
		switch {
		case h%211 == 0:
			t.State, t.Problem = "problem", &wire.Trouble{Kind: "permission", Text: "SELECT was denied on " + t.Name}
		case h%37 == 0:
			t.State, t.Lag, t.Decision, t.Rule, t.Reason = "behind", int64(h%9000)*int64(1+h%13), "upload", 7, fmt.Sprintf("delta: %d row versions above the watermark", h)
		case h%101 == 0:
			t.State = "disabled"
		case h%499 == 0:
			t.Quarantine = 1 + h%40
		case h%29 == 0:
			t.Decision, t.Rule, t.Reason = "diff", 10, "scheduled check: 24h since the last comparison"
		}
	}
	return r
}

// spend writes down what two days cost.
func spend(t testing.TB, s cost.Store) {
	t.Helper()
	var records []cost.Record
	for h := range 48 {
		w := &cost.Window{}
		for i, name := range names {
			n := int64((len(names)-i)*1000 + (h*7919+i*104729)%3000)
			if i == 1 && h > 40 {
				n *= 3
			}
			sums := func(n int64) cost.Sums {
				return cost.Sums{Requests: n, Time: time.Duration(n) * 20 * time.Millisecond, Rows: n * 200, Changed: n * 150, BytesIn: n * 9000, BytesOut: n * 300}
			}
			w.Endpoints = append(w.Endpoints, cost.Line{Name: "POST rows", Dataset: name, Sums: sums(n)})
			w.Customers = append(w.Customers, cost.Line{Name: "acme", Dataset: name, Sums: sums(n / 10 * int64(1+i%2))}, cost.Line{Name: fmt.Sprintf("site-%04d", i), Dataset: name, Sums: sums(n / 4)},
				cost.Line{Name: cost.Other, Dataset: name, Sums: sums(n / 2)})
		}
		records = append(records, cost.Record{Span: cost.Hour, At: now.Truncate(time.Hour).Add(time.Duration(h-47) * time.Hour), Instance: "a", Window: w})
	}
	must(t, s.KeepCosts(t.Context(), records))
}

// batches has some applied.
func batches(t testing.TB, s cloud.Store) {
	t.Helper()
	typ, err := wire.ParseType("int")
	must(t, err)
	schema := wire.Schema{Columns: []wire.Column{{Name: "id", Type: typ}}, Key: []string{"id"}, Versioning: wire.ByRowVersion}
	for i, name := range names[:3] {
		_, err := s.Register(t.Context(), "acme", name, schema)
		must(t, err)
		for seq := uint64(1); seq <= 6; seq++ {
			h := wire.Header{Protocol: wire.Protocol, Kind: wire.Delta, Seq: seq, ID: fmt.Sprintf("%032x", 100*i+int(seq)), Writer: wire.Writer{ID: "w"},
				Epoch: "e", Schema: schema.Fingerprint(), Columns: []string{"id"}}
			if seq == 1 {
				h.Kind, h.Start, h.Complete, h.Watermark = wire.Load, true, true, new(uint64)
			}
			h.Rows = int(seq) * 3
			lines := make([]string, h.Rows)
			for k := range lines {
				lines[k] = fmt.Sprintf(`["%d",%d]`, 100*seq+uint64(k), k)
			}
			_, err := s.Apply(t.Context(), cloud.Batch{Customer: "acme", Table: name, Header: h, Schema: schema, Rows: newLines(lines),
				Now: now.Add(-time.Duration(10-seq) * time.Minute * time.Duration(i+1)), Bytes: 300 * int(seq), Request: fmt.Sprintf("q7wkz3n5tbxj2m%02d%02dhf6avu", i, seq)})
			must(t, err)
		}
	}
}

// roll begins rollouts.
func roll(t testing.TB, s cloud.Store) {
	t.Helper()
	o := cloud.Operator{Store: s, Who: "ada", Why: "the summer's tables", NewTables: true}
	for _, r := range []rollout.Rollout{
		{Name: "stock-movements", Tables: []string{"dbo.stock_movements"}, Steps: []rollout.Share{100, 1000, 5000, rollout.All}, Seed: "a"},
		{Name: "audit", Tables: []string{"dbo.audit", "dbo.audit_lines"}, Steps: []rollout.Share{100, rollout.All}, Seed: "b"},
	} {
		r.Hold, r.Watch = rollout.DefaultHold, rollout.DefaultWatch
		b, err := rollout.ParseBound("reads=2x")
		must(t, err)
		_, err = o.CreateRollout(t.Context(), r)
		must(t, err)
		_, err = o.ChangeRollout(t.Context(), "step", r.Name, func(r rollout.Rollout, _ time.Time) (rollout.Rollout, error) {
			return r.Step(1000, now.Add(-2*time.Hour))
		})
		must(t, err)
		if r.Name == "audit" {
			_, err = o.ChangeRollout(t.Context(), "revert", r.Name, func(r rollout.Rollout, _ time.Time) (rollout.Rollout, error) {
				r.Bounds = []rollout.Bound{b}
				return r.Revert(100, "reads is 5210/s, over 2400/s (2x of 1200/s before the step)", now.Add(-time.Hour))
			})
			must(t, err)
		}
	}
	_, err := o.ChangePolicy(t.Context(), "pace", cloud.Fleet, func(p wire.Policy) (wire.Policy, error) {
		p.Tables["dbo.orders"] = wire.TablePolicy{MinInterval: 300}
		return p, nil
	})
	must(t, err)
}
