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
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

func TestKeysRotateAndExpire(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	s := newSite(t, cloud.Config{Now: now})
	status := func(key string) int {
		t.Helper()
		s.key = key
		return s.do(t, http.MethodGet, versionsPath, nil).StatusCode
	}
	old := s.key
	if got := status(old); got != 200 {
		t.Fatalf("status %d", got)
	}
	clock.Add(int64(2 * time.Second))
	next, key := cloud.NewKey("acme", now())
	if err := s.store.RotateKey(t.Context(), "acme", key, now(), now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := status(next); got != 200 {
		t.Errorf("the new key, at once: %d", got)
	}
	if got := status(old); got != 200 {
		t.Errorf("the old key, in its grace: %d", got)
	}
	clock.Add(int64(time.Hour))
	if got := status(old); got != 401 {
		t.Errorf("the old key, after its grace: %d", got)
	}
	if got := status(next); got != 200 {
		t.Errorf("the new key: %d", got)
	}
	if err := s.store.RemoveCustomer(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	clock.Add(int64(time.Minute))
	if got := status(next); got != 401 {
		t.Errorf("the key of a removed customer: %d", got)
	}
}

func TestKeyOfAnotherCustomerWithTheSameBeginning(t *testing.T) {
	s := newSite(t, cloud.Config{})
	secret, key := cloud.NewKey("acme_2", time.Now())
	if err := s.store.AddCustomer(t.Context(), cloud.Customer{ID: "acme_2", Created: time.Now()}, key); err != nil {
		t.Fatal(err)
	}
	s.key = secret
	s.do(t, http.MethodGet, versionsPath, nil).problem(t, wire.Forbidden)
	if a := s.do(t, http.MethodGet, "/v1/customers/acme_2/versions", nil); a.StatusCode != 200 {
		t.Errorf("status %d", a.StatusCode)
	}
}

func TestFaults(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	s := newSite(t, cloud.Config{Logger: zap.New(core)})
	for name, tt := range map[string]struct {
		fault func(context.Context) error
		code  wire.Code
	}{
		"away":  {func(context.Context) error { return fmt.Errorf("dial 10.0.0.7: %w", cloud.ErrUnavailable) }, wire.Overloaded},
		"late":  {func(context.Context) error { return context.DeadlineExceeded }, wire.Overloaded},
		"bug":   {func(context.Context) error { return errors.New("column 10.0.0.7 is not there") }, wire.Internal},
		"panic": {func(context.Context) error { panic("10.0.0.7") }, wire.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			s.store.versions = tt.fault
			defer func() { s.store.versions = nil }()
			a := s.do(t, http.MethodGet, versionsPath, nil)
			p := a.problem(t, tt.code)
			if strings.Contains(a.body, "10.0.0.7") {
				t.Errorf("the problem tells what is nobody's business: %s", a.body)
			}
			if p.RequestID == "" || logs.FilterField(zap.String("request_id", p.RequestID)).FilterMessage("request").Len() != 1 {
				t.Errorf("request %q is not in the log", p.RequestID)
			}
			if after := a.Header.Get("Retry-After"); (after != "") != (tt.code == wire.Overloaded) {
				t.Errorf("Retry-After %q", after)
			}
		})
	}
	if logs.FilterMessage("panic").FilterFieldKey("stack").Len() != 1 {
		t.Error("the panic left no stack")
	}
	if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
		t.Errorf("afterwards: %d", a.StatusCode)
	}
}

func TestAccessLogHoldsNoKey(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	s := newSite(t, cloud.Config{Logger: zap.New(core)})
	s.post(t, s.batch(t, `["1",1,"secret value"]`))
	s.do(t, http.MethodGet, "/v1/customers/other/versions", nil).problem(t, wire.Forbidden)
	s.do(t, http.MethodGet, "/healthz", nil)
	all := logs.FilterMessage("request").AllUntimed()
	if len(all) != 3 {
		t.Fatalf("%d entries", len(all))
	}
	for _, e := range all {
		if text := fmt.Sprint(e.ContextMap()); strings.Contains(text, s.key) || strings.Contains(text, "secret value") {
			t.Errorf("the log tells too much: %s", text)
		}
	}
	if m := all[0].ContextMap(); m["customer"] != "acme" || m["status"] != int64(200) || m["path"] != rowsPath {
		t.Errorf("%v", m)
	}
	if all[2].Level != zapcore.DebugLevel {
		t.Errorf("a probe is logged as %s", all[2].Level)
	}
}

func TestOverload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.Load = cloud.Class{Running: 1, Waiting: 1}
		s := newSite(t, cloud.Config{Limits: limits})
		inside, proceed := make(chan struct{}), make(chan struct{})
		s.store.apply = func(context.Context) error {
			inside <- struct{}{}
			<-proceed
			return nil
		}
		body := s.batch(t, `["1",1,"a"]`)
		var wg sync.WaitGroup
		wg.Go(func() {
			if a := s.post(t, body); a.StatusCode != 200 {
				t.Errorf("the first: %d %s", a.StatusCode, a.body)
			}
		})
		<-inside
		for range 3 {
			if a := s.post(t, body); a.problem(t, wire.Overloaded).Hint == "" || a.Header.Get("Retry-After") == "" {
				t.Errorf("%v", a.Header)
			}
		}
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
			t.Errorf("reads have a class of their own: %d", a.StatusCode)
		}
		if a := s.do(t, http.MethodGet, "/metrics", nil); !strings.Contains(a.body, `tidemark_gate_inside{gate="load"} 1`) || !strings.Contains(a.body, `tidemark_gate_turned_away_total{gate="load"} 3`) {
			t.Errorf("metrics:\n%s", a.body)
		}
		close(proceed)
		wg.Wait()
	})
}

func TestRequestTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.RequestTime = time.Minute
		s := newSite(t, cloud.Config{Limits: limits})
		s.store.apply = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		s.post(t, s.batch(t)).problem(t, wire.Overloaded)
	})
}

// A store that hangs does not collect those who want to come in.
func TestHangingStoreOfKeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		s.store.keys = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.problem(t, wire.Overloaded).Hint == "" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%v", a.Header)
		}
		s.store.keys = nil
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
			t.Errorf("the store answers: %d %s", a.StatusCode, a.body)
		}
	})
}

// Those without a key do not take the store from those who have one: keys are
// looked up by four at a time.
func TestLookupsOfKeysAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 {
			t.Fatalf("status %d", a.StatusCode)
		}
		inside, proceed := make(chan struct{}, 20), make(chan struct{})
		s.store.keys = func(context.Context) error {
			inside <- struct{}{}
			<-proceed
			return nil
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				path := fmt.Sprintf("/v1/customers/nobody%d/versions", i)
				s.do(t, http.MethodGet, path, nil, func(r *http.Request) {
					r.Header.Set("Authorization", fmt.Sprintf("Bearer tmk_nobody%d_x", i))
				}).problem(t, wire.Unauthorized)
			})
		}
		for range 4 {
			<-inside
		}
		synctest.Wait()
		if text := s.do(t, http.MethodGet, "/metrics", nil).body; !strings.Contains(text, `tidemark_gate_waiting{gate="keys"} 16`+"\n") {
			t.Errorf("metrics:\n%s", text)
		}
		if len(inside) != 0 {
			t.Errorf("%d more are in the store", len(inside))
		}
		if a := s.do(t, http.MethodGet, versionsPath, nil); a.StatusCode != 200 { // its key is known
			t.Errorf("status %d", a.StatusCode)
		}
		close(proceed)
		wg.Wait()
	})
}

// readingStore reads the rows of a batch and holds them until it may go on.
type readingStore struct {
	cloud.Store
	read, proceed chan struct{}
}

func (r *readingStore) Apply(_ context.Context, b cloud.Batch) (wire.Answer, error) {
	for {
		if _, err := b.Rows.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return wire.Answer{}, err
		}
	}
	r.read <- struct{}{}
	<-r.proceed
	return wire.Answer{}, nil
}

// A line that the default limits allow, and that is long, is held by two
// batches at a time, whatever comes at once.
func TestLongLinesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.Load.Running = 16 // the customer's share is four
		s := newSite(t, cloud.Config{Limits: limits})
		store := &readingStore{Store: s.store.Store, read: make(chan struct{}), proceed: make(chan struct{})}
		s.store.Store = store
		s.store.apply = nil
		long, short := s.batch(t, `["1",1,"`+strings.Repeat("x", 5<<20)+`"]`), s.batch(t, `["1",1,"x"]`)
		var wg sync.WaitGroup
		post := func(body []byte) {
			wg.Go(func() {
				if a := s.post(t, body); a.StatusCode != 200 {
					t.Errorf("%d %.200s", a.StatusCode, a.body)
				}
			})
		}
		for range 3 {
			post(long)
		}
		<-store.read
		<-store.read
		synctest.Wait()
		if text := s.do(t, http.MethodGet, "/metrics", nil).body; !strings.Contains(text, `tidemark_gate_waiting{gate="long lines"} 1`+"\n") {
			t.Errorf("metrics:\n%s", text)
		}
		post(short)
		<-store.read
		close(store.proceed)
		<-store.read
		wg.Wait()
	})
}

// A body that comes too slowly, or ends too early, ends with a problem, gives
// its place back, and never reaches the store.
func TestSlowBody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		limits := cloud.DefaultLimits()
		limits.Receiving = 1 << 20
		s := newSite(t, cloud.Config{Limits: limits})
		s.store.apply = func(context.Context) error { t.Error("the store was asked"); return nil }
		conn := s.http.Listener.(*pipes).dial(t)
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Encoding: zstd\r\nContent-Length: 1000000\r\n\r\n(", rowsPath, s.key, wire.ContentType)
		got, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		if got.StatusCode != 400 || got.Header.Get("Content-Type") != wire.ProblemType {
			t.Errorf("status %d, %v", got.StatusCode, got.Header)
		}
		s.store.apply = nil
		if a := s.post(t, s.batch(t, `["1",1,"a"]`)); a.StatusCode != 200 {
			t.Errorf("afterwards: %d %s", a.StatusCode, a.body)
		}
	})
}

// What a body decompresses to is never held: not a bomb, not a large batch.
func TestMemoryOfBodies(t *testing.T) {
	limits := cloud.DefaultLimits()
	limits.Line, limits.Decompressed = 1<<20, 1<<30
	s := newSite(t, cloud.Config{Limits: limits})
	line := `["1",1,"` + strings.Repeat("x", 1<<16) + `"]`
	many := make([]string, 1500) // 94 MiB of one row, over and over
	for i := range many {
		many[i] = line
	}
	good := s.batch(t, many...)
	long := s.batch(t, `["1",1,"`+strings.Repeat("x", 100<<20)+`"]`)
	runtime.GC()
	var peak atomic.Uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
		}
	})
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	s.post(t, long).problem(t, wire.TooLarge)
	if a := s.post(t, good); a.StatusCode != 200 {
		t.Errorf("status %d %s", a.StatusCode, a.body)
	}
	close(stop)
	wg.Wait()
	if grown := int64(peak.Load()) - int64(before.HeapAlloc); grown > 48<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// A frame that wants a window of 1 GiB (RFC 8878, 3.1.1.1.2) is refused before
// there is memory for it.
func TestWindowOfAFrame(t *testing.T) {
	s := newSite(t, cloud.Config{})
	line := []byte("{}\n")
	head := uint32(len(line))<<3 | 1 // the last block, raw
	for exponent, code := range map[byte]wire.Code{20: wire.Malformed, 13: wire.Malformed /* 8 MiB: the header is what is wrong */} {
		frame := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, byte(head), byte(head >> 8), byte(head >> 16)}, line...)
		p := s.post(t, frame).problem(t, code)
		if window := strings.Contains(p.Detail, "window"); window != (exponent == 20) {
			t.Errorf("a window of 2^%d: %s", 10+exponent, p.Detail)
		}
	}
}

func TestMetricsCountRowsOnce(t *testing.T) {
	s := newSite(t, cloud.Config{})
	body := s.batch(t, `["1",1,"a"]`, `["2",2,"b"]`, `["3","x","c"]`)
	for range 2 {
		if a := s.post(t, body); a.StatusCode != 200 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	s.do(t, "PURGE", "/nothing", nil).problem(t, wire.NotFound)
	text := s.do(t, http.MethodGet, "/metrics", nil).body
	for _, want := range []string{
		`tidemark_rows_total{kind="load",outcome="inserted"} 2`,
		`tidemark_rows_total{kind="load",outcome="refused"} 1`,
		`tidemark_requests_total{method="POST",path="/v1/customers/{customer}/tables/{table}/rows",status="200"} 2`,
		`tidemark_requests_total{method="",path="other",status="404"} 1`,
		`tidemark_request_seconds_count{path="other"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("metrics lack %s:\n%s", want, text)
		}
	}
}

// askVersions asks for the versions over a listener of its own.
func (s *site) askVersions(t *testing.T, transport http.RoundTripper, l net.Listener) (status int, err error) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+versionsPath, nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+s.key)
	got, err := transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	return got.StatusCode, got.Body.Close()
}

func TestServeDrains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		inside, proceed := make(chan struct{}), make(chan struct{})
		s.store.versions = func(context.Context) error {
			close(inside)
			<-proceed
			return nil
		}
		l := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.server.Serve(ctx, l, nil) }()
		transport := &http.Transport{DialContext: l.DialContext}
		defer transport.CloseIdleConnections()
		status := make(chan int, 1)
		go func() {
			got, err := s.askVersions(t, transport, l)
			if err != nil {
				t.Errorf("the request in work: %v", err)
			}
			status <- got
		}()
		<-inside
		stop()
		synctest.Wait()
		if a := s.do(t, http.MethodGet, "/readyz", nil); a.StatusCode != 503 { // through the other listener: this one is closed
			t.Errorf("it drains, and is ready: %d", a.StatusCode)
		}
		close(proceed)
		if got := <-status; got != 200 {
			t.Errorf("the request in work: %d", got)
		}
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

// What does not end in its time is ended, and Serve tells.
func TestServeEndsWhatDrainsTooLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		inside, undone := make(chan struct{}), make(chan time.Duration, 1)
		var stopped time.Time
		s.store.versions = func(ctx context.Context) error {
			close(inside)
			<-ctx.Done()
			undone <- time.Since(stopped)
			return ctx.Err()
		}
		l := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.server.Serve(ctx, l, nil) }()
		transport := &http.Transport{DialContext: l.DialContext}
		defer transport.CloseIdleConnections()
		lost := make(chan error, 1)
		go func() {
			_, err := s.askVersions(t, transport, l)
			lost <- err
		}()
		<-inside
		stopped = time.Now()
		stop()
		if after := <-undone; after < 20*time.Second || after > 21*time.Second {
			t.Errorf("the store's work was ended after %v", after)
		}
		if err := <-lost; err == nil {
			t.Error("the request was answered")
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestTooLargeBeforeItIsSent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSite(t, cloud.Config{})
		body := bytes.Repeat([]byte{0}, 33<<20)
		// A client that asks whether it may send waits for the answer.
		s.http.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Minute
		a := s.do(t, http.MethodPost, rowsPath, bytes.NewReader(body), asLines, func(r *http.Request) { r.Header.Set("Expect", "100-continue") })
		a.problem(t, wire.TooLarge)
		a = s.do(t, http.MethodPost, rowsPath, bytes.NewReader(body), asLines)
		a.problem(t, wire.TooLarge)
		a = s.do(t, http.MethodPost, rowsPath, struct{ *bytes.Reader }{bytes.NewReader(body)}, asLines, func(r *http.Request) { r.ContentLength = -1 })
		a.problem(t, wire.TooLarge)
	})
}
