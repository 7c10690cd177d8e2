package uploader_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/internal/fault"
	"tidemark/uploader"
)

// While the cloud is away one call at a time tries, the observer is told of
// every try, and what waited goes out when it is back.
func TestOneTriesForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const outage, calls = 30 * time.Minute, 20
		start := time.Now()
		var mu sync.Mutex
		inside, most, tries := 0, 0, 0
		var seen observed
		c := client(t, func(*http.Request) (*http.Response, error) {
			mu.Lock()
			inside++
			away := since(start) < outage
			if away && since(start) > 2*time.Second { // the first calls were under way already
				most = max(most, inside)
				tries++
			}
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			inside--
			mu.Unlock()
			if away {
				return nil, errRefused
			}
			return applied(), nil
		}, func(c *uploader.Config) { c.Observer = seen.add })
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				if _, err := c.Send(t.Context(), fmt.Sprint("t", i), header(1), zipped(line)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if most != 1 || tries < 6 || tries > 40 {
			t.Errorf("%d tries in the outage, %d at once", tries, most)
		}
		if took := since(start); took > outage+26*time.Minute { // a try, and half the outage
			t.Errorf("all through after %s", took)
		}
		states := seen.all()
		for i, s := range states[:len(states)-1] {
			if !s.Away || s.Next.Before(s.Since) || !errors.Is(s.Err, errRefused) || fault.Hint(s.Err) == "" || !s.Since.Equal(start.Add(time.Second)) {
				t.Errorf("state %d: %+v", i, s)
			}
		}
		if last := states[len(states)-1]; last.Away || c.State().Away {
			t.Errorf("last state: %+v", last)
		}
	})
}

// A thousand sites that lost the cloud for two hours come back over half an
// hour: no minute has more than three times what is even.
func TestRecoveryIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sites, tables, outage = 1000, 3, 2 * time.Hour
		start := time.Now()
		var mu sync.Mutex
		minutes := map[int]int{} // requests by minute after the outage
		var clients []*uploader.Client
		for range sites {
			clients = append(clients, client(t, func(*http.Request) (*http.Response, error) {
				after := since(start) - outage
				if after < 0 {
					return nil, errRefused
				}
				mu.Lock()
				defer mu.Unlock()
				minutes[int(after/time.Minute)]++
				return applied(), nil
			}))
		}
		var all sync.WaitGroup
		for _, c := range clients {
			for i := range tables {
				all.Go(func() {
					if _, err := c.Send(t.Context(), fmt.Sprint("t", i), header(1), zipped(line)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		most, last, sent := 0, 0, 0
		for minute, n := range minutes {
			most, last, sent = max(most, n), max(last, minute), sent+n
		}
		if even := sites * tables / 35; most > 3*even {
			t.Errorf("%d requests in one minute, where %d would be even", most, even)
		}
		if last < 15 || last > 51 { // a try, its place, and a wait of its own
			t.Errorf("the last came %d min after the outage", last)
		}
		if sent != sites*tables {
			t.Errorf("%d requests", sent)
		}
	})
}

// A blip is over at once.
func TestBlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := client(t, func(*http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return nil, errRefused
			}
			return versions(), nil
		})
		start := time.Now()
		for range 5 {
			if _, err := c.Versions(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := since(start); took > 2*time.Second {
			t.Errorf("five questions over a blip took %s", took)
		}
	})
}

// One whose tries are lost on the way whatever the others do (something in
// between dislikes its bytes) does not keep the others from trying.
func TestACallThatAlwaysBreaksStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/api/v1/customers/acme/tables/poison/rows" {
				return nil, errRefused
			}
			return applied(), nil
		})
		poison := make(chan struct{})
		go func() {
			defer close(poison)
			if _, err := c.Send(t.Context(), "poison", header(1), zipped(line)); err == nil {
				t.Error("the poisoned one arrived")
			}
		}()
		start, sent := time.Now(), 0
		for since(start) < time.Hour {
			if _, err := c.Send(t.Context(), "good", header(1), zipped(line)); err != nil {
				t.Fatal(err)
			}
			sent++
			time.Sleep(time.Second)
		}
		if sent < 3400 {
			t.Errorf("%d batches in an hour of seconds", sent)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-poison
	})
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := client(t, func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return versions(), nil
			}
			return applied(), nil
		}, func(c *uploader.Config) { c.Window = func() bool { return since(start) >= time.Hour } })
		if _, err := c.Versions(t.Context()); err != nil || since(start) != 0 {
			t.Errorf("a question waited %s: %v", since(start), err)
		}
		if _, err := c.Send(t.Context(), "t", header(1), zipped(line)); err != nil {
			t.Fatal(err)
		}
		if took := since(start); took < time.Hour || took > time.Hour+30*time.Second {
			t.Errorf("a batch went after %s", took)
		}
	})
}

// Four tables together send no more than the limit allows.
func TestBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond = 10_000
		lines := noise(100_000)
		var mu sync.Mutex
		total := 0
		c := client(t, func(r *http.Request) (*http.Response, error) {
			n := len(body(t, r))
			mu.Lock()
			defer mu.Unlock()
			total += n
			return applied(), nil
		}, func(c *uploader.Config) { c.BandwidthBytesPerSecond = perSecond })
		start := time.Now()
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if _, err := c.Send(t.Context(), fmt.Sprint("t", i), header(1), zipped(lines)); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		want := time.Duration(total) * time.Second / perSecond
		if took := since(start); took < want-time.Second || took > want+time.Second {
			t.Errorf("%d bytes at %d a second took %s", total, perSecond, took)
		}
	})
}
