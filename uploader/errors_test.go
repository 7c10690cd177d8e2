package uploader_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

func TestErrorsThatAreTold(t *testing.T) {
	stop := func(scope uploader.Scope, code wire.Code) func(error) bool {
		return func(err error) bool {
			var s *uploader.Stop
			return errors.As(err, &s) && s.Scope == scope && (s.Table == "dbo.orders") == (scope == uploader.Table) &&
				(code == "" && s.Problem == nil || s.Problem != nil && s.Problem.Code == code)
		}
	}
	conflict := func(code wire.Code) func(error) bool {
		return func(err error) bool {
			var c *uploader.Conflict
			return errors.As(err, &c) && c.Problem.Code == code
		}
	}
	large := func(err error) bool {
		var l *uploader.TooLarge
		var p *wire.Problem
		return errors.As(err, &l) && l.Bytes > 0 && errors.As(err, &p) && p.Code == wire.TooLarge
	}
	tests := map[string]struct {
		answer *http.Response
		is     func(error) bool
	}{
		"400":                {problem(wire.Malformed), stop(uploader.Table, wire.Malformed)},
		"403":                {problem(wire.Forbidden), stop(uploader.Customer, wire.Forbidden)},
		"403 of a gateway":   {answer(403, "text/html", "no"), stop(uploader.Customer, "")},
		"404":                {problem(wire.NotFound), stop(uploader.Table, wire.NotFound)},
		"422":                {problem(wire.SchemaConflict), stop(uploader.Table, wire.SchemaConflict)},
		"413":                {problem(wire.TooLarge), large},
		"413 of a gateway":   {answer(413, "text/html", "no"), large},
		"409 wrong sequence": {problem(wire.WrongSequence), conflict(wire.WrongSequence)},
		"409 wrong epoch":    {problem(wire.WrongEpoch), conflict(wire.WrongEpoch)},
		"409 second writer":  {problem(wire.SecondWriter), conflict(wire.SecondWriter)},
		"409 schema changed": {problem(wire.SchemaChanged), conflict(wire.SchemaChanged)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n := 0
			c := client(t, func(*http.Request) (*http.Response, error) { n++; return tt.answer, nil })
			_, err := c.Send(t.Context(), "dbo.orders", header(1), zipped(line))
			if !tt.is(err) || n != 1 {
				t.Errorf("after %d requests: %#v", n, err)
			}
			if err != nil && (!strings.Contains(err.Error(), "send 1 rows of dbo.orders") || fault.Hint(err) == "") {
				t.Errorf("told as %q with hint %q", err, fault.Hint(err))
			}
		})
	}
}

func TestConflictCarriesTheVersion(t *testing.T) {
	doc := `{"type":"urn:tidemark:wrong-sequence","title":"t","status":409,"code":"wrong-sequence","version":{"epoch":"e1","seq":"41","watermark":"9","rows":3,"loaded":true,"schema":"s"}}`
	c := client(t, func(*http.Request) (*http.Response, error) { return answer(409, wire.ProblemType, doc), nil })
	_, err := c.Send(t.Context(), "dbo.orders", header(1), zipped(line))
	var conflict *uploader.Conflict
	if !errors.As(err, &conflict) || conflict.Problem.Version == nil || conflict.Problem.Version.Seq != 41 {
		t.Errorf("told: %#v", err)
	}
}

// A key that is refused stops every call without a request, but for one try
// now and then, until the key changes or is taken.
func TestRefusedKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen observed
		key, good, requests := "tmk_old", "", 0
		c := client(t, func(r *http.Request) (*http.Response, error) {
			requests++
			if r.Header.Get("Authorization") != "Bearer "+good {
				return problem(wire.Unauthorized), nil
			}
			return versions(), nil
		}, func(c *uploader.Config) {
			c.Key = func() (string, error) { return key, nil }
			c.Observer = seen.add
		})
		ask := func() error {
			_, err := c.Versions(t.Context())
			var s *uploader.Stop
			if err != nil && (!errors.As(err, &s) || s.Scope != uploader.Customer || s.Problem.Code != wire.Unauthorized || fault.Hint(err) != "do this") {
				t.Errorf("told: %v", err)
			}
			return err
		}
		start := time.Now()
		for since(start) < time.Hour {
			if ask() == nil {
				t.Fatal("answered without a good key")
			}
			time.Sleep(time.Second)
		}
		if requests < 9 || requests > 14 {
			t.Errorf("%d requests in an hour with a key that is refused", requests)
		}
		if s := c.State(); s.Refused == nil || s.Since.Sub(start) > 3*time.Second || !s.Next.After(time.Now()) {
			t.Errorf("state %+v", s)
		}
		good, key = "tmk_new", "tmk_new"
		requests = 0
		if err := ask(); err != nil || requests != 1 {
			t.Errorf("with a new key: %v after %d requests", err, requests)
		}
		all := seen.all()
		if last := all[len(all)-1]; last.Refused != nil || c.State().Refused != nil {
			t.Errorf("last state %+v", last)
		}
	})
}

// A key that was made a moment ago may be one that the server does not know
// yet: its first refusal is told to nobody, and the next try is soon. So it is
// with one that takes the place of a key that is refused.
func TestKeyOfAMomentAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen observed
		var requests atomic.Int64
		key, known := "tmk_first", time.Now().Add(time.Second)
		c := client(t, func(r *http.Request) (*http.Response, error) {
			requests.Add(1)
			if r.Header.Get("Authorization") == "Bearer tmk_gone" || time.Now().Before(known) {
				return problem(wire.Unauthorized), nil
			}
			return versions(), nil
		}, func(c *uploader.Config) {
			c.Key = func() (string, error) { return key, nil }
			c.Observer = seen.add
		})
		ask := func(what string, calls int, good bool, most int64) {
			t.Helper()
			requests.Store(0)
			start := time.Now()
			var running sync.WaitGroup
			for range calls {
				running.Go(func() {
					var s *uploader.Stop
					if _, err := c.Versions(t.Context()); good != (err == nil) || !good && !errors.As(err, &s) {
						t.Errorf("%s: %v", what, err)
					}
				})
			}
			running.Wait()
			if n := requests.Load(); n > most || since(start) > 3*time.Second {
				t.Errorf("%s: %d requests in %s", what, n, since(start))
			}
		}
		ask("the first key", 3, true, 6)
		if all := seen.all(); len(all) != 0 || c.State().Refused != nil {
			t.Errorf("told of %+v", all)
		}
		key = "tmk_gone"
		ask("a key that is not good", 3, false, 6)
		ask("again", 3, false, 0)
		key, known = "tmk_next", time.Now().Add(time.Second)
		ask("another key", 1, true, 2)
		if all := seen.all(); all[len(all)-1].Refused != nil || c.State().Refused != nil {
			t.Errorf("told of %+v", all)
		}
		known = time.Now().Add(time.Hour)
		ask("a key that was good", 3, false, 6)
		known = time.Now()
		ask("and will be", 3, false, 0)
		time.Sleep(8 * time.Minute)
		ask("and is", 1, true, 1)
	})
}

func TestKeyThatCannotBeRead(t *testing.T) {
	missing := errors.New("no such file")
	err := missing
	c := client(t, func(*http.Request) (*http.Response, error) { return versions(), nil }, func(c *uploader.Config) {
		c.Key = func() (string, error) { return "k", err }
	})
	_, got := c.Versions(t.Context())
	var s *uploader.Stop
	if !errors.As(got, &s) || s.Scope != uploader.Customer || !errors.Is(got, missing) || c.State().Refused == nil {
		t.Errorf("told: %v, state %+v", got, c.State())
	}
	err = nil
	if _, got := c.Versions(t.Context()); got != nil || c.State().Refused != nil {
		t.Errorf("once it can be read: %v, state %+v", got, c.State())
	}
}

func TestConfigErrors(t *testing.T) {
	tests := map[string]func(*uploader.Config){
		"no scheme":       func(c *uploader.Config) { c.BaseURL = "cloud.example" },
		"another scheme":  func(c *uploader.Config) { c.BaseURL = "ftp://cloud.example" },
		"a query":         func(c *uploader.Config) { c.BaseURL = "https://cloud.example?x=1" },
		"a password":      func(c *uploader.Config) { c.BaseURL = "https://me:secret@cloud.example" },
		"no customer":     func(c *uploader.Config) { c.Customer = "" },
		"no key":          func(c *uploader.Config) { c.Key = nil },
		"no proxy":        func(c *uploader.Config) { c.Proxy = "me:secret@proxy" },
		"a short pin":     func(c *uploader.Config) { c.TLS.Pin = "abcd" },
		"a bare pin":      func(c *uploader.Config) { c.TLS.Pins = []string{strings.TrimPrefix(otherPin, "sha256/")} },
		"no CA":           func(c *uploader.Config) { c.TLS.CA = "testdata/missing.pem" },
		"half a key pair": func(c *uploader.Config) { c.TLS.Certificate = "testdata/missing.pem" },
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			c := uploader.Config{BaseURL: "https://cloud.example", Customer: "acme", Key: func() (string, error) { return "", nil }}
			edit(&c)
			_, err := uploader.New(c)
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("told: %v", err)
			}
		})
	}
}

// What no byte moves in ends, and what moves too slowly is told to be too
// large, not tried for ever.
func TestSlowBodies(t *testing.T) {
	lines := noise(400_000)
	read := func(r *http.Request, n int, pause time.Duration) error {
		buf := make([]byte, n)
		for more := true; more; {
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return r.Context().Err()
			}
			_, err := r.Body.Read(buf)
			more = err == nil
		}
		return nil
	}
	t.Run("too slow", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c := client(t, func(r *http.Request) (*http.Response, error) {
				n++
				if err := read(r, 1000, 10*time.Second); err != nil {
					return nil, err
				}
				return applied(), nil
			})
			_, err := c.Send(t.Context(), "dbo.orders", header(1), zipped(lines))
			var large *uploader.TooLarge
			if !errors.As(err, &large) || n != 3 {
				t.Errorf("after %d tries: %v", n, err)
			}
		})
	})
	t.Run("standing still", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var tries []time.Time
			c := client(t, func(r *http.Request) (*http.Response, error) {
				if tries = append(tries, time.Now()); len(tries) < 6 {
					if _, err := r.Body.Read(make([]byte, 1000)); err != nil {
						t.Error(err)
					}
					return nil, read(r, 1000, 2*time.Minute)
				}
				return applied(), nil
			})
			start := time.Now()
			if _, err := c.Send(t.Context(), "dbo.orders", header(1), zipped(lines)); err != nil {
				t.Fatal(err)
			}
			if took := since(start); took < 5*time.Minute || took > 7*time.Minute {
				t.Errorf("five that stood still for a minute each took %s", took)
			}
		})
	})
	t.Run("no answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}, func(c *uploader.Config) { c.Rand = func() float64 { return 0 } })
			ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
			defer cancel()
			_, err := c.Versions(ctx)
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer in time") {
				t.Errorf("told: %v", err)
			}
		})
	})
}
