package ship_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tidemark/cloud/traffic/logfile"
	"tidemark/cloud/traffic/ship"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const pattern = `http 2026-07-02T22:23:00.186641Z app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.001 0.002 0.003 200 200 34 366 "GET http://example.com:80/v1/customers/c%d/versions HTTP/1.1" "agent \"%d\"" - - arn:tg "Root=1-%d"`

func line(i int) string { return fmt.Sprintf(pattern, i, i, i) }

// A stash is an endpoint that remembers the lines it took, and counts how
// often each came.
type stash struct {
	*httptest.Server
	mu     sync.Mutex
	times  map[int64]int
	bodies int
}

// newStash answers with handle before it takes a body; handle returns whether
// it answered.
func newStash(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, n int) bool) *stash {
	s := &stash{times: map[int64]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.bodies++
		n := s.bodies
		s.mu.Unlock()
		if handle != nil && handle(w, r, n) {
			return
		}
		var in io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			in = z
		}
		for d := json.NewDecoder(in); ; {
			var e struct {
				Line int64  `json:"log_line"`
				File string `json:"log_file"`
				At   string `json:"@timestamp"`
			}
			if err := d.Decode(&e); err == io.EOF {
				return
			} else if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			if e.File == "" || e.At == "" {
				t.Errorf("%+v", e)
			}
			s.mu.Lock()
			s.times[e.Line]++
			s.mu.Unlock()
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *stash) lines() map[int64]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.times)
}

type site struct {
	dir        string
	checkpoint *ship.Checkpoint
	aside      *ship.Aside
	ship.Shipper
}

func newSite(t *testing.T, dir, url string) *site {
	t.Helper()
	s := &site{dir: dir, aside: ship.NewAside(filepath.Join(dir, ".aside"), 1<<20)}
	var err error
	if s.checkpoint, err = ship.OpenCheckpoint(filepath.Join(dir, ".checkpoint"), s.aside.Sync); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	t.Cleanup(func() {
		if err := s.aside.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Shipper = ship.Shipper{To: &ship.Endpoint{URL: url, Client: client, FirstWait: time.Millisecond}, Rejects: s.aside, Workers: 3, Block: 2000}
	return s
}

func (s *site) write(t *testing.T, name string, from, to int, zipped bool) string {
	t.Helper()
	var b bytes.Buffer
	for i := from; i <= to; i++ {
		fmt.Fprintln(&b, line(i))
	}
	if zipped {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, err := w.Write(b.Bytes())
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		b = z
	}
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *site) rejects(t *testing.T) (out []ship.Reject) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, ".aside"))
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(b)); ; {
		var r ship.Reject
		if err := d.Decode(&r); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
}

// Whatever the endpoint does, every line arrives; without faults exactly once.
func TestEveryLineArrives(t *testing.T) {
	for name, handle := range map[string]func(w http.ResponseWriter, r *http.Request, n int) bool{
		"well": nil,
		"429 and 503": func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n%3 != 0 {
				w.WriteHeader([]int{429, 503}[n%2])
			}
			return n%3 != 0
		},
		"closes at random": func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			switch rand.IntN(6) {
			case 0:
				panic(http.ErrAbortHandler)
			case 1:
				_, _ = io.CopyN(io.Discard, r.Body, 1000)
				panic(http.ErrAbortHandler)
			}
			return false
		},
		"takes half a batch": func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n > 3 {
				return false
			}
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusOK)
			return true
		},
	} {
		for _, zipped := range []bool{false, true} {
			t.Run(fmt.Sprint(name, zipped), func(t *testing.T) {
				stash := newStash(t, handle)
				s := newSite(t, t.TempDir(), stash.URL)
				s.To.Gzip = zipped
				lines := 300
				if name == "takes half a batch" {
					s.Block, lines, s.To.Gzip = 32<<20, 60_000, false // one batch, of more than the buffers between client and server hold
				}
				path := s.write(t, "a.log", 1, lines, zipped)
				stats, skipped, err := s.File(t.Context(), s.checkpoint, path)
				if err != nil || skipped || stats != (ship.Stats{Lines: int64(lines), Delivered: int64(lines)}) {
					t.Fatalf("%+v, %v, %v", stats, skipped, err)
				}
				got := stash.lines()
				for i := range int64(lines) {
					if times := got[i+1]; times == 0 || name == "well" && times > 1 {
						t.Fatalf("line %d came %d times", i+1, times)
					}
				}
				if _, skipped, err = s.File(t.Context(), s.checkpoint, path); err != nil || !skipped {
					t.Errorf("not skipped the second time: %v", err)
				}
			})
		}
	}
}

// Lines that are none, and lines that the endpoint refuses, are named and stop
// nothing.
func TestSetAside(t *testing.T) {
	stash := newStash(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if bytes.Contains(b, []byte("/c77/")) {
			http.Error(w, "mapping conflict", http.StatusBadRequest)
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		return false
	})
	s := newSite(t, t.TempDir(), stash.URL)
	path := s.write(t, "a.log", 1, 100, false)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("z", logfile.MaxLine+1)
	log := strings.Replace(string(b), line(50)+"\n", "no line\n"+long+"\n\n", 1)
	if err := os.WriteFile(path, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	stats, _, err := s.File(t.Context(), s.checkpoint, path)
	if err != nil || stats.Delivered != 98 || stats.Malformed != 2 || stats.Refused != 1 {
		t.Fatalf("%+v, %v", stats, err)
	}
	want := map[int64]string{50: "neither a time", 51: "longer than", 79: "mapping conflict"}
	for _, r := range s.rejects(t) {
		if reason := want[r.Line]; reason == "" || !strings.Contains(r.Reason, reason) || r.File != path || len(r.Text) > 2000 {
			t.Errorf("%d %s: %.50s", r.Line, r.Reason, r.Text)
		}
		delete(want, r.Line)
	}
	if len(want) > 0 {
		t.Errorf("not set aside: %v", want)
	}
}

// A shipper that ends in the middle goes on there; what it had not noted comes
// again.
func TestResume(t *testing.T) {
	for _, zipped := range []bool{false, true} {
		ctx, kill := context.WithCancelCause(t.Context())
		stash := newStash(t, func(_ http.ResponseWriter, _ *http.Request, n int) bool {
			if n == 50 {
				kill(errors.New("killed"))
			}
			return false
		})
		dir := t.TempDir()
		s := newSite(t, dir, stash.URL)
		path := s.write(t, "a.log", 1, 2000, zipped)
		if _, _, err := s.File(ctx, s.checkpoint, path); err == nil {
			t.Fatal("not killed")
		}
		before := len(stash.lines())
		s = newSite(t, dir, stash.URL)
		stats, skipped, err := s.File(t.Context(), s.checkpoint, path)
		if err != nil || skipped || stats.Delivered == 2000 || before == 2000 {
			t.Fatalf("%+v, %v, %v", stats, skipped, err)
		}
		if got := stash.lines(); len(got) != 2000 {
			t.Errorf("%d lines came", len(got))
		}
	}
}

// Another file under a name that is known begins anew; one that has grown goes
// on behind what was delivered.
func TestSameName(t *testing.T) {
	stash := newStash(t, nil)
	s := newSite(t, t.TempDir(), stash.URL)
	for _, step := range []struct{ from, to, delivered int }{{1, 2, 2}, {1, 500, 498}, {1, 500, 0}, {2, 100, 99}} {
		path := s.write(t, "a.log", step.from, step.to, false)
		stats, _, err := s.File(t.Context(), s.checkpoint, path)
		if err != nil || stats.Delivered != int64(step.delivered) {
			t.Errorf("%+v: %+v, %v", step, stats, err)
		}
	}
}

func TestCutOff(t *testing.T) {
	stash := newStash(t, nil)
	s := newSite(t, t.TempDir(), stash.URL)
	path := s.write(t, "a.log.gz", 1, 1000, true)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:len(b)*2/3], 0o600); err != nil {
		t.Fatal(err)
	}
	stats, _, err := s.File(t.Context(), s.checkpoint, path)
	var broken *logfile.BrokenError
	if !errors.As(err, &broken) || stats.Delivered == 0 || stats.Delivered != broken.Line-1 {
		t.Fatalf("%+v, %v", stats, err)
	}
	if r := s.rejects(t); len(r) != 1 || r[0].Line != broken.Line {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil { // it arrives whole after all
		t.Fatal(err)
	}
	if stats, _, err = s.File(t.Context(), s.checkpoint, path); err != nil || stats.Delivered != 1000-broken.Line+1 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestStops(t *testing.T) {
	for status, hint := range map[int]string{401: "401", 404: "404", 307: "307"} {
		stash := newStash(t, func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Header.Get("Authorization") != "Bearer x" {
				t.Error("no authorization")
			}
			w.WriteHeader(status)
			return true
		})
		s := newSite(t, t.TempDir(), stash.URL)
		s.To.Authorization = "Bearer x"
		_, _, err := s.File(t.Context(), s.checkpoint, s.write(t, "a.log", 1, 1000, false))
		if err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%d: %v", status, err)
		}
		if got := s.checkpoint.Get(filepath.Join(s.dir, "a.log")); got.Done || got.Line > 0 {
			t.Errorf("%+v", got)
		}
	}
}

func TestAsideIsBounded(t *testing.T) {
	stash := newStash(t, nil)
	s := newSite(t, t.TempDir(), stash.URL)
	path := filepath.Join(s.dir, "a.log")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no log\n", 100_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.File(t.Context(), s.checkpoint, path); err == nil || !strings.Contains(err.Error(), "grow over") {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(s.dir, ".aside")); err != nil || info.Size() > 1<<20 {
		t.Error(info, err)
	}
}

func TestCheckpointDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkpoint")
	for _, content := range []string{"{", `{"version": 2}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ship.OpenCheckpoint(path, nil); err == nil {
			t.Errorf("%s is no error", content)
		}
	}
	if _, err := ship.OpenCheckpoint(filepath.Join(path, "under", "a", "file"), nil); err == nil {
		t.Error("a place that cannot be written is no error")
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.log", "a/2.log.gz", "a/1.log", ".hidden", ".git/x", "a/.y"} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ship.List([]string{dir, filepath.Join(dir, "b.log")})
	if err != nil || strings.ReplaceAll(strings.Join(got, " "), dir+"/", "") != "a/1.log a/2.log.gz b.log" {
		t.Error(got, err)
	}
	if _, err := ship.List([]string{filepath.Join(dir, "nowhere")}); err == nil {
		t.Error("a path that is not there is no error")
	}
}
