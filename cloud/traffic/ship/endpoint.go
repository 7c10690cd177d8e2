package ship

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/klauspost/compress/gzip"

	"tidemark/internal/fault"
)

// Bounds of the tries of one batch.
const (
	firstWait    = time.Second / 2
	longestWait  = time.Minute
	longestFloor = 10 * time.Minute // of Retry-After that is believed
	tryTime      = time.Minute
)

// An Endpoint takes batches over HTTP. Its fields are set before its first
// use. It may be used by many goroutines.
type Endpoint struct {
	URL           string
	Authorization string // the header's value; "": none
	Gzip          bool   // compress bodies
	Client        *http.Client
	FirstWait     time.Duration // between two tries, doubled from try to try up to a minute, with full jitter; 0: half a second
	// Failed, if set, is told of each try that failed and of the wait after it.
	Failed func(err error, wait time.Duration)

	zippers sync.Pool
	sent    atomic.Int64
	batches atomic.Int64
	retries atomic.Int64
}

// Figures returns the bodies that were taken, their bytes as sent, and the
// tries that failed.
func (e *Endpoint) Figures() (batches, bytes, retries int64) {
	return e.batches.Load(), e.sent.Load(), e.retries.Load()
}

// A RefusedError tells that the endpoint will not take this body, whatever
// else it takes (400, 413, 422).
type RefusedError struct{ Status string }

func (e *RefusedError) Error() string { return "the endpoint answers " + e.Status }

// errPartly is an answer that came before the whole body had been read.
var errPartly = errors.New("the endpoint answered before it had read the whole batch")

// Send sends JSON lines until the endpoint has taken all of them. It gives up
// when ctx ends, with a *RefusedError, and when no try can help: wrong
// credentials, a wrong path, a redirect.
func (e *Endpoint) Send(ctx context.Context, lines []byte) error {
	body := lines
	if e.Gzip {
		var err error
		if body, err = e.zip(lines); err != nil {
			return err
		}
	}
	first := e.FirstWait
	if first == 0 {
		first = firstWait
	}
	waits := backoff.NewExponentialBackOff(backoff.WithInitialInterval(first), backoff.WithMaxInterval(longestWait),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
	for {
		floor, err := e.try(ctx, body)
		var again *againError
		if err == nil {
			e.sent.Add(int64(len(body)))
			e.batches.Add(1)
			return nil
		}
		if ctx.Err() != nil {
			return fault.New("deliver to "+e.URL, errors.Join(context.Cause(ctx), err), "")
		}
		if !errors.As(err, &again) {
			return err
		}
		e.retries.Add(1)
		wait := floor + time.Duration(rand.Float64()*float64(waits.NextBackOff()))
		if e.Failed != nil {
			e.Failed(again.error, wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return fault.New("deliver to "+e.URL, errors.Join(err, again.error), "")
		}
	}
}

// An againError is worth another try.
type againError struct{ error }

func (e *againError) Unwrap() error { return e.error }

// try sends a body once. floor is the least wait before the next try.
func (e *Endpoint) try(ctx context.Context, body []byte) (floor time.Duration, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tryTime, fmt.Errorf("no answer in %s", tryTime))
	defer cancel()
	watched := &watchedReader{Reader: bytes.NewReader(body)}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, watched)
	if err != nil {
		return 0, fault.New("deliver to "+e.URL, err, "")
	}
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("User-Agent", "tidemark-traffic")
	if e.Gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	if e.Authorization != "" {
		r.Header.Set("Authorization", e.Authorization)
	}
	a, err := e.Client.Do(r)
	if err != nil {
		return 0, &againError{err}
	}
	defer a.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(a.Body, 512)) // only to show it
	switch c := a.StatusCode; {
	case c/100 == 2 && !watched.whole.Load():
		return 0, &againError{errPartly}
	case c/100 == 2:
		return 0, nil
	case c == http.StatusTooManyRequests, c == http.StatusRequestTimeout, c == http.StatusTooEarly, c/100 == 5:
		return retryAfter(a.Header.Get("Retry-After")), &againError{fmt.Errorf("the endpoint answers %s%s", a.Status, said(answer))}
	case c == http.StatusBadRequest, c == http.StatusRequestEntityTooLarge, c == http.StatusUnprocessableEntity:
		return 0, &RefusedError{a.Status + said(answer)}
	case c == http.StatusUnauthorized, c == http.StatusForbidden:
		return 0, fault.New("deliver to "+e.URL, fmt.Errorf("the endpoint answers %s", a.Status), "Check user, password or token of the endpoint.")
	}
	return 0, fault.New("deliver to "+e.URL, fmt.Errorf("the endpoint answers %s%s", a.Status, said(answer)), "Check the URL: it must be an input that takes POST.")
}

func said(answer []byte) string {
	if s := strings.TrimSpace(string(answer)); s != "" {
		return fmt.Sprintf(": %.200q", s)
	}
	return ""
}

// A watchedReader knows whether it was read to its end. The transport does
// not say so: it returns an early answer as it returns any other.
type watchedReader struct {
	*bytes.Reader
	whole atomic.Bool
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.Len() == 0 {
		r.whole.Store(true)
	}
	return n, err
}

// WriteTo hides the Reader's own, which would go around Read.
func (r *watchedReader) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{r})
}

func (e *Endpoint) zip(lines []byte) ([]byte, error) {
	w, _ := e.zippers.Get().(*gzip.Writer)
	var b bytes.Buffer
	b.Grow(len(lines) / 6)
	if w == nil {
		var err error
		if w, err = gzip.NewWriterLevel(&b, gzip.BestSpeed); err != nil {
			return nil, err
		}
	} else {
		w.Reset(&b)
	}
	defer e.zippers.Put(w)
	if _, err := w.Write(lines); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// retryAfter reads a Retry-After of seconds (RFC 9110, 10.2.3). Dates, which
// depend on two clocks, are left to the back-off.
func retryAfter(text string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(n)*time.Second, longestFloor)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
