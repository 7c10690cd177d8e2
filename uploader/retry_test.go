package uploader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

var errRefused = errors.New("connection refused")

// What is worth another try is tried until it succeeds, with the same bytes.
func TestTriesAgain(t *testing.T) {
	html := "<html>Please log in</html>"
	tests := map[string]func() (*http.Response, error){
		"no connection":        func() (*http.Response, error) { return nil, errRefused },
		"500":                  func() (*http.Response, error) { return problem(wire.Internal), nil },
		"502 of a gateway":     func() (*http.Response, error) { return answer(502, "text/html", html), nil },
		"503":                  func() (*http.Response, error) { return problem(wire.Overloaded), nil },
		"429":                  func() (*http.Response, error) { return answer(429, "text/plain", "slow down"), nil },
		"408":                  func() (*http.Response, error) { return answer(408, "", ""), nil },
		"a captive portal":     func() (*http.Response, error) { return answer(200, "text/html", html), nil },
		"its redirect":         func() (*http.Response, error) { return answer(302, "", "", "Location", "https://login.example/"), nil },
		"404 that is not ours": func() (*http.Response, error) { return answer(404, "text/html", html), nil },
		"407":                  func() (*http.Response, error) { return answer(407, "text/html", html), nil },
		"half an answer":       func() (*http.Response, error) { return answer(200, "application/json", `{"version":{"ep`), nil },
		"an answer and more":   func() (*http.Response, error) { return answer(200, "application/json", `{}{}`), nil },
		"an answer to another": func() (*http.Response, error) {
			return answer(200, "application/json", `{"version":{"epoch":"e1","seq":"6"}}`), nil
		},
		"an empty document": func() (*http.Response, error) { return answer(200, "application/json", `{}`), nil },
		"a refusal of no row": func() (*http.Response, error) {
			return answer(200, "application/json", `{"version":{"epoch":"e1","seq":"7"},"refused":[{"row":1,"reason":"x"}]}`), nil
		},
		"204":                    func() (*http.Response, error) { return answer(204, "", ""), nil },
		"304 nobody asked for":   func() (*http.Response, error) { return answer(304, "", ""), nil },
		"a problem with no code": func() (*http.Response, error) { return answer(400, wire.ProblemType, `{"status":400}`), nil },
		"an endless answer":      func() (*http.Response, error) { return answer(200, "application/json", strings.Repeat(" ", 5000)), nil },
	}
	for name, fails := range tests {
		t.Run(name, func(t *testing.T) {
			var bodies [][]byte
			var id string // of the last try
			synctest.Test(t, func(t *testing.T) {
				c := client(t, func(r *http.Request) (*http.Response, error) {
					bodies, id = append(bodies, body(t, r)), r.Header.Get(wire.HeaderRequestID)
					if len(bodies) <= 20 {
						return fails()
					}
					return applied(), nil
				}, func(c *uploader.Config) { c.MaxAnswer = 4096 })
				a, err := c.Send(t.Context(), "dbo.orders", header(1), zipped(line))
				if err != nil || a.Inserted != 1 || a.Version.Watermark != 9 || a.Request != id {
					t.Fatalf("answer %+v, error %v", a, err)
				}
				for i, b := range bodies {
					if !bytes.Equal(b, bodies[0]) {
						t.Errorf("try %d carried other bytes", i)
					}
				}
			})
			// Outside of the bubble: the decoder is one of a pool, and keeps channels.
			if h, lines := decoded(t, bodies[20]); h.ID != header(1).ID || h.Seq != 7 || !bytes.Equal(lines, line) {
				t.Errorf("sent %+v and %q", h, lines)
			}
		})
	}
}

// The waits are within full jitter's bounds, capped, and do not end.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Time
		c := client(t, func(*http.Request) (*http.Response, error) {
			tries = append(tries, time.Now())
			return nil, errRefused
		})
		ctx, cancel := context.WithTimeout(t.Context(), 7*24*time.Hour)
		defer cancel()
		_, err := c.Versions(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errRefused) || fault.Hint(err) == "" {
			t.Errorf("ended with %v, hint %q", err, fault.Hint(err))
		}
		interval, longest := time.Second, time.Duration(0)
		for i := 1; i < len(tries); i++ {
			gap := tries[i].Sub(tries[i-1])
			if gap > interval {
				t.Fatalf("wait %d is %s, at most %s", i, gap, interval)
			}
			longest = max(longest, gap)
			interval = min(2*interval, 10*time.Minute)
		}
		if n := len(tries); n < 1008 || n > 3000 || longest < 8*time.Minute {
			t.Errorf("%d tries in a week, the longest wait %s", n, longest)
		}
	})
}

func TestRetryAfterIsAFloor(t *testing.T) {
	date := "Mon, 23 Nov 2026 10:00:00 GMT"
	tests := []struct {
		name   string
		header []string
		least  time.Duration
	}{
		{"seconds", []string{"Retry-After", "90"}, 90 * time.Second},
		{"a date by the server's clock", []string{"Retry-After", "Mon, 23 Nov 2026 10:02:00 GMT", "Date", date}, 2 * time.Minute},
		{"a date in the past", []string{"Retry-After", "Mon, 23 Nov 2026 09:00:00 GMT", "Date", date}, 0},
		{"believed up to an hour", []string{"Retry-After", "86400"}, time.Hour},
		{"a number over all", []string{"Retry-After", "9223372036854775807"}, time.Hour},
		{"nonsense", []string{"Retry-After", "soon"}, 0},
		{"negative", []string{"Retry-After", "-5"}, 0},
	}
	for _, tt := range tests {
		for _, status := range []int{429, 503} {
			t.Run(fmt.Sprint(tt.name, " ", status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					n := 0
					c := client(t, func(*http.Request) (*http.Response, error) {
						if n++; n <= 2 { // the one that closes the gate, and a trial
							return answer(status, "text/plain", "later", tt.header...), nil
						}
						return versions(), nil
					})
					start := time.Now()
					if _, err := c.Versions(t.Context()); err != nil {
						t.Fatal(err)
					}
					if took := since(start); took < 2*tt.least || took > 2*tt.least+3*time.Second {
						t.Errorf("tried twice again after %s, the floor is %s", took, tt.least)
					}
				})
			})
		}
	}
}

// A comparison that the cloud has no room for holds no batch back.
func TestOverloadedDiffsHoldBackDiffsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		comparisons := 0
		c := client(t, func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/manifest") {
				if comparisons++; comparisons == 1 {
					return problem(wire.Overloaded, "Retry-After", "600"), nil
				}
				return answer(200, "application/json", `{"version":{"epoch":"e1"}}`), nil
			}
			return applied(), nil
		})
		start := time.Now()
		done := make(chan error)
		go func() {
			_, err := c.Compare(t.Context(), "a", wire.ManifestHeader{Protocol: 1, Mode: wire.Compare, Epoch: "e1", Rows: 1}, line)
			done <- err
		}()
		time.Sleep(10 * time.Second)
		if _, err := c.Send(t.Context(), "b", header(1), zipped(line)); err != nil || since(start) != 10*time.Second {
			t.Errorf("a batch took until %s: %v", since(start), err)
		}
		if err := <-done; err != nil || since(start) < 10*time.Minute {
			t.Errorf("the comparison ended after %s: %v", since(start), err)
		}
	})
}

// A request that the cloud itself fails at holds no other back.
func TestAPoisonedBatchHoldsBackItselfAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "poison") {
				return problem(wire.Internal), nil
			}
			return applied(), nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		done := make(chan error)
		go func() {
			_, err := c.Send(ctx, "poison", header(1), zipped(line))
			done <- err
		}()
		start := time.Now()
		for range 100 {
			if _, err := c.Send(t.Context(), "good", header(1), zipped(line)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if took := since(start); took != 100*time.Second {
			t.Errorf("100 good batches took %s", took)
		}
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the poisoned one: %v", err)
		}
		if c.State().Away {
			t.Error("the cloud is told to be away")
		}
	})
}

func TestContextEndsEveryWait(t *testing.T) {
	forever := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	away := func(*http.Request) (*http.Response, error) { return nil, errRefused }
	tests := map[string]struct {
		transport transport
		edit      func(*uploader.Config)
	}{
		"for an answer":    {forever, func(*uploader.Config) {}},
		"for the next try": {away, func(*uploader.Config) {}},
		"for Retry-After": {func(*http.Request) (*http.Response, error) {
			return problem(wire.Overloaded, "Retry-After", "3600"), nil
		}, func(*uploader.Config) {}},
		"alone":          {func(*http.Request) (*http.Response, error) { return problem(wire.Internal), nil }, func(*uploader.Config) {}},
		"for the window": {away, func(c *uploader.Config) { c.Window = func() bool { return false } }},
		"for bandwidth": {func(r *http.Request) (*http.Response, error) {
			_, err := new(bytes.Buffer).ReadFrom(r.Body)
			return nil, err
		}, func(c *uploader.Config) { c.BandwidthBytesPerSecond = 1 }},
		"for an answer's end": {func(r *http.Request) (*http.Response, error) {
			a := applied()
			a.Body = stuck{r.Context()}
			return a, nil
		}, func(*uploader.Config) {}},
	}
	for name, tt := range tests {
		for _, end := range []string{"context", "close"} {
			t.Run(name+"/"+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := client(t, tt.transport, tt.edit)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					const calls = 3
					done := make(chan error)
					for range calls {
						go func() {
							_, err := c.Send(ctx, "dbo.orders", header(1), zipped(line))
							done <- err
						}()
					}
					time.Sleep(45 * time.Second)
					start := time.Now()
					if end == "close" {
						go c.Close()
					} else {
						cancel()
					}
					for range calls {
						err := <-done
						if since(start) != 0 || err == nil || end == "context" && !errors.Is(err, context.Canceled) {
							t.Errorf("ended after %s with %v", since(start), err)
						}
					}
				})
			})
		}
	}
}

type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (s stuck) Close() error             { return nil }

func TestClosed(t *testing.T) {
	c := client(t, func(*http.Request) (*http.Response, error) { return versions(), nil })
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Versions(t.Context()); err == nil {
		t.Error("a closed client answered")
	}
}
