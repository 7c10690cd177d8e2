package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/agent"
	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/uploader"
)

// A fleet is many sites on which nothing happens, and their cloud, in virtual
// time: requests by the ten minutes in which they came.
type fleet struct {
	store cloud.Store
	began time.Time

	looked atomic.Int64 // how often a site has asked what lease it has

	mu    sync.Mutex
	api   http.Handler // nil: it is away
	spans map[int]int
	kinds map[string]int
}

const span = 10 * time.Minute

// RoundTrip is the network.
func (f *fleet) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	api := f.api
	f.spans[int(time.Since(f.began)/span)]++
	f.kinds[r.Method+" "+r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]++
	f.mu.Unlock()
	if api == nil {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	return w.Result(), nil
}

// serve starts a server over the store, or ends it.
func (f *fleet) serve(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.api = nil
	if on {
		f.api = cloud.New(cloud.Config{Store: f.store})
	}
}

// takeSpans returns the requests from a span on until now.
func (f *fleet) takeSpans(from time.Duration) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []int
	for i := int(from / span); i < int(time.Since(f.began)/span); i++ {
		all = append(all, f.spans[i])
	}
	return all
}

// watched is a client whose lease is asked for.
type watched struct {
	*uploader.Client
	f *fleet
}

func (w watched) Lease() uploader.Lease {
	w.f.looked.Add(1)
	return w.Client.Lease()
}

// down is a source that does not let the agent in.
type down struct{ agent.Source }

func (down) Inspect(context.Context) (sqlserver.Server, error) {
	return sqlserver.Server{}, errors.New(`login failed for user 'sa' with "hunter2`)
}
func (down) Close() error { return nil }

// site makes an agent of a new customer.
func (f *fleet) site(t *testing.T, customer string, tables int) *agent.Agent {
	t.Helper()
	secret, key := cloud.NewKey(customer, time.Now())
	if err := f.store.AddCustomer(context.Background(), cloud.Customer{ID: customer, Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	client, err := uploader.New(uploader.Config{BaseURL: "https://cloud.example", Customer: customer, Transport: f, Key: func() (string, error) { return secret, nil }})
	if err != nil {
		t.Fatal(err)
	}
	site := agent.Site{Customer: customer, Host: "host", Cloud: watched{client, f}}
	if tables > 0 {
		src := agent.SourceSite{Name: "main", Source: down{}}
		for i := range tables {
			src.Tables = append(src.Tables, agent.TableSite{Dataset: fmt.Sprintf("dbo.%s_%d", strings.Repeat("name", 20), i), Schema: "dbo", Name: fmt.Sprint(i)})
		}
		site.Sources = append(site.Sources, src)
	}
	a, err := agent.New(site, agent.Options{StateDir: t.TempDir(), Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// runFleet runs a test with agents, in a bubble, and ends them.
func runFleet(t *testing.T, customers, tables int, test func(f *fleet)) {
	synctest.Test(t, func(t *testing.T) {
		store, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "cloud.db"))
		if err != nil {
			t.Fatal(err)
		}
		f := &fleet{store: store, began: time.Now(), spans: map[int]int{}, kinds: map[string]int{}}
		f.serve(true)
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		for i := range customers {
			a := f.site(t, fmt.Sprintf("customer-%d", i), tables)
			running.Go(func() {
				if err := errors.Join(a.Run(ctx), a.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		test(f)
		cancel()
		running.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFleet starts 40 quiet sites at once, and takes the cloud away from them
// for an hour: neither makes them come together.
func TestFleet(t *testing.T) {
	const customers = 40
	runFleet(t, customers, 0, func(f *fleet) {
		within := func(what string, from time.Duration, most float64) {
			t.Helper()
			mean := customers * float64(span) / float64(30*time.Minute)
			for i, n := range f.takeSpans(from) {
				if float64(n) > most*mean {
					t.Errorf("%s: %d requests in %s, %s on; the mean of the steady state is %.0f", what, n, span, time.Duration(i)*span, mean)
				}
			}
		}
		start := time.Since(f.began)
		time.Sleep(30 * time.Minute)
		within("start", start, 6) // each comes within 15 minutes, and asks for its policy, too
		time.Sleep(time.Hour)
		within("steady", start+30*time.Minute, 2.5)

		f.serve(false)
		time.Sleep(time.Hour)
		f.serve(true)
		back := time.Since(f.began)
		time.Sleep(80 * time.Minute)
		within("back", back, 2.5)
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.kinds) != 2 || f.kinds["GET policy"] != customers {
			t.Errorf("quiet sites sent %v", f.kinds)
		}
		reports := 0
		err := f.store.EachReport(context.Background(), f.began.Add(back), func(r cloud.Report) error { reports++; return nil })
		if err != nil || reports != customers {
			t.Errorf("%d of %d sites came back, %v", reports, customers, err)
		}
	})
}

// TestQuietSiteSleeps holds how often a site on which nothing happens wakes to
// see whether there is something to tell: every ten seconds, once it knows its
// lease, and for its check-ins.
func TestQuietSiteSleeps(t *testing.T) {
	runFleet(t, 1, 0, func(f *fleet) {
		time.Sleep(time.Hour)
		before := f.looked.Load()
		time.Sleep(time.Hour)
		if n := f.looked.Load() - before; n < 300 || n > 380 {
			t.Errorf("it woke %d times in an hour", n)
		}
	})
}

// TestLargeSite reports on more tables than a report can hold, and on a source
// whose error quotes what nobody should read.
func TestLargeSite(t *testing.T) {
	const tables = 3000
	runFleet(t, 1, tables, func(f *fleet) {
		time.Sleep(time.Hour)
		kept, err := f.store.Report(context.Background(), "customer-0")
		if err != nil || len(kept.Document) == 0 || len(kept.Document) > wire.MaxReport {
			t.Fatalf("%d bytes, %v", len(kept.Document), err)
		}
		doc, err := kept.Read()
		if err != nil || len(doc.Tables)+doc.Omitted != tables || doc.Omitted == 0 || doc.Version != "1.2.3" || doc.Host != "host" {
			t.Errorf("%d tables, %d omitted, %v: %+v", len(doc.Tables), doc.Omitted, err, doc)
		}
		if p := doc.Sources[0].Problem; p == nil || p.Text != "login failed for user '…' with '…'" {
			t.Errorf("%+v", p)
		}
	})
}
