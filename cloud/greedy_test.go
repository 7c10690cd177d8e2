package cloud_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/cloud"
)

// joined adds a customer with the table t, and returns what makes a request of
// acme one of that customer.
func (s *site) joined(t *testing.T, id string) func(*http.Request) {
	t.Helper()
	secret, key := cloud.NewKey(id, time.Now())
	if err := s.store.AddCustomer(t.Context(), cloud.Customer{ID: id, Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.Register(t.Context(), id, "t", simple); err != nil {
		t.Fatal(err)
	}
	return func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+secret)
		r.URL.Path = strings.Replace(r.URL.Path, "/acme/", "/"+id+"/", 1)
	}
}

// However much a customer sends at once, it has a quarter of the places: what
// another one sends comes in at once.
func TestACustomerHasItsShareOfPlaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		other := s.joined(t, "beta")
		inside, proceed := make(chan struct{}, 20), make(chan struct{})
		s.store.apply = func(context.Context) error {
			inside <- struct{}{}
			<-proceed
			return nil
		}
		body := s.batch(t, `["1",1,"a"]`)
		var wg sync.WaitGroup
		post := func(change ...func(*http.Request)) {
			wg.Go(func() {
				a := s.do(t, http.MethodPost, rowsPath, bytes.NewReader(body), append(change, asLines)...)
				if a.StatusCode != http.StatusOK {
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		}
		places := cloud.DefaultLimits().Load.Running
		for range places + 2 {
			post()
		}
		synctest.Wait()
		if n := len(inside); n != places/4 {
			t.Errorf("%d batches of one customer have a place, of %d", n, places)
		}
		before := len(inside)
		post(other)
		synctest.Wait()
		if len(inside) != before+1 {
			t.Error("the other customer waits behind it")
		}
		close(proceed)
		wg.Wait()
	})
}

// slow begins to send a batch of acme, or of who change says, of which no more
// than the first byte comes, and puts the answer's status into statuses.
func (s *site) slow(t *testing.T, size int, statuses chan<- int, change ...func(*http.Request)) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, rowsPath, nil)
	r.Header.Set("Authorization", "Bearer "+s.key)
	for _, f := range append(change, asLines) {
		f(r)
	}
	conn := s.http.Listener.(*pipes).dial(t)
	t.Cleanup(func() { conn.Close() })
	go func() {
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", r.URL.Path, size)
		if err := r.Header.Write(conn); err != nil {
			t.Error(err)
		}
		fmt.Fprint(conn, "\r\n(")
		got, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Error(err)
			statuses <- 0
			return
		}
		got.Body.Close()
		if got.StatusCode == http.StatusServiceUnavailable && got.Header.Get("Retry-After") == "" {
			t.Error("one that was refused does not know when to come back")
		}
		statuses <- got.StatusCode
	}()
	synctest.Wait()
}

// at checks that the metrics have lines.
func (s *site) at(t *testing.T, lines ...string) {
	t.Helper()
	text := s.do(t, http.MethodGet, "/metrics", nil).body
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics lack %s:\n%s", line, text)
		}
	}
}

// atOnce checks that a batch is taken, and did not wait.
func (s *site) atOnce(t *testing.T, body []byte, change ...func(*http.Request)) {
	t.Helper()
	begun := time.Now()
	a := s.do(t, http.MethodPost, rowsPath, bytes.NewReader(body), append(change, asLines)...)
	if a.StatusCode != http.StatusOK || time.Since(begun) > 0 {
		t.Errorf("after %v: %d %s", time.Since(begun), a.StatusCode, a.body)
	}
}

// noise does not compress below n bytes.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// A customer whose bodies come slowly has a quarter of the memory for bodies,
// and those that wait for more of it are told to come back: what others send is
// taken meanwhile.
func TestACustomerHasItsShareOfMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const bodies, size = 8, 1 << 20
		limits := cloud.DefaultLimits()
		limits.Receiving = 4 * size
		s := newSite(t, cloud.Config{Limits: limits})
		other := s.joined(t, "beta")
		statuses := make(chan int, bodies)
		for range bodies {
			s.slow(t, size, statuses)
		}
		s.at(t, fmt.Sprintf(`tidemark_gate_inside{gate="receiving"} %d`, size), fmt.Sprintf(`tidemark_gate_waiting{gate="receiving"} %d`, bodies-1))
		s.atOnce(t, s.batch(t, `["1",1,"`+noise(size/2)+`"]`), other)
		got := map[int]int{}
		for range bodies {
			got[<-statuses]++
		}
		if got[http.StatusBadRequest] != 1 || got[http.StatusServiceUnavailable] != bodies-1 {
			t.Errorf("answers by status: %v", got)
		}
	})
}

// Large bodies that come slowly, of however many customers, as when a table is
// new to all, do not keep small ones out.
func TestSmallBodiesDoNotWaitForLargeOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const customers, size = 6, 1 << 20
		limits := cloud.DefaultLimits()
		limits.Receiving = 4 * size
		s := newSite(t, cloud.Config{Limits: limits})
		statuses := make(chan int, customers)
		for i := range customers {
			s.slow(t, size, statuses, s.joined(t, fmt.Sprint("c", i)))
		}
		s.at(t, fmt.Sprintf(`tidemark_gate_inside{gate="receiving"} %d`, 3*size), `tidemark_gate_waiting{gate="receiving"} 3`)
		s.atOnce(t, s.batch(t, `["1",1,"a"]`))
		for range customers {
			<-statuses
		}
	})
}
