package replay_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/cloud/traffic/recording"
	"tidemark/cloud/traffic/replay"
	"tidemark/cloud/traffic/replay/replaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const customers = 3

// An installation is a server over a store in a file.
type installation struct {
	store *sqlite.Store
	url   *url.URL
	keys  map[string]string
}

func open(t *testing.T, path string, tap func(cloud.Exchange), before func(w http.ResponseWriter, r *http.Request) bool) *installation {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	server := cloud.New(cloud.Config{Store: s, Tap: tap})
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			server.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		listening.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(listening.URL)
	if err != nil {
		t.Fatal(err)
	}
	i := &installation{store: s, url: u, keys: map[string]string{}}
	for n := range customers {
		id, now := fmt.Sprint("customer", n), time.Now()
		secret, key := cloud.NewKey(id, now)
		err := s.AddCustomer(t.Context(), cloud.Customer{ID: id, Created: now}, key)
		if errors.Is(err, cloud.ErrExists) {
			err = s.RotateKey(t.Context(), id, key, now, now.Add(time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
		i.keys[id] = secret
	}
	return i
}

func client(t *testing.T) *http.Client {
	c := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// run lets the fleet send to i.
func (i *installation) run(t *testing.T, seed uint64, perTable int) {
	t.Helper()
	f := &replaytest.Fleet{URL: i.url.String(), Client: client(t), Keys: i.keys, AtOnce: customers, Seed: seed, Rows: 20}
	if err := f.Run(t.Context(), perTable); err != nil {
		t.Fatal(err)
	}
}

// rows are all rows and versions.
func (i *installation) rows(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for customer := range i.keys {
		versions, err := i.store.Versions(t.Context(), customer)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range versions.Tables {
			out[customer+" "+name] = fmt.Sprintf("%+v", v)
			err := i.store.Rows(t.Context(), customer, name, func(r cloud.Row) error {
				out[fmt.Sprintf("%s %s %s", customer, name, r.Values[0])] = fmt.Sprintf("%d %s", r.Version, r.Values[1])
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// record runs traffic against a fresh installation and returns the recording,
// and where a copy of the state before is.
func record(t *testing.T, perTable int) (original *installation, file, copied string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "recording")
	r, err := recording.Create(file, recording.Options{Share: 100, Bytes: 1 << 30, For: time.Hour}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	original = open(t, filepath.Join(dir, "original.db"), func(x cloud.Exchange) {
		r.Record(&recording.Entry{Start: x.Start, ID: x.ID, Customer: x.Customer, Table: x.Table, Endpoint: x.Endpoint, Method: x.Method, URI: x.URI,
			Host: x.Host, Headers: x.Headers, Body: x.Body, Status: x.Status, Took: x.Took.Microseconds()})
	}, nil)
	copied = filepath.Join(dir, "copy.db")
	original.run(t, 1, perTable)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return original, file, copied
}

func config(t *testing.T, to *installation, file string) replay.Config {
	return replay.Config{To: to.url, Keys: to.keys, Client: client(t), Open: func() (*recording.Reader, io.Closer, error) {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		r, err := recording.NewReader(f)
		return r, f, err
	}}
}

// A copy that was replayed to is equal to the original, table by table, also
// when the target refuses and breaks off now and then.
func TestCopyBecomesEqual(t *testing.T) {
	original, file, copied := record(t, 30)
	n := 0
	faults := make(chan int, 1)
	faults <- 0
	target := open(t, copied, nil, func(w http.ResponseWriter, r *http.Request) bool {
		i := <-faults
		i++
		n = i
		faults <- i
		if !strings.HasSuffix(r.URL.Path, "/rows") {
			return false
		}
		switch i % 50 {
		case 7:
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		case 23:
			panic(http.ErrAbortHandler)
		}
		return false
	})
	result, err := replay.Run(t.Context(), config(t, target, file))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := result.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if result.Requests < customers*replaytest.Tables*25 || result.Retries == 0 || len(result.Problems) > 0 || !strings.Contains(text.String(), "POST rows") {
		t.Errorf("%s", &text)
	}
	if diff := cmp.Diff(original.rows(t), target.rows(t)); diff != "" {
		t.Error(diff)
	}
	if n == 0 {
		t.Error("nothing came")
	}
}

// The recorded installation is refused, by its host and by what it has; and a
// copy that was made too late with it.
func TestRefused(t *testing.T) {
	original, file, copied := record(t, 10)
	before := original.rows(t)
	for name, change := range map[string]func(*replay.Config){
		"its clients named this host": func(*replay.Config) {},
		"the recording begins with": func(c *replay.Config) {
			to := *c.To
			to.Host = strings.Replace(to.Host, "127.0.0.1", "localhost", 1)
			c.To = &to
		},
	} {
		c := config(t, original, file)
		change(&c)
		if _, err := replay.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, original.rows(t)); diff != "" {
		t.Error(diff)
	}
	target := open(t, copied, nil, nil)
	c := config(t, target, file)
	c.Keys = nil
	if _, err := replay.Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without keys: %v", err)
	}
}

// A table that the copy is too old for is left out and named; a recording that
// is cut off is replayed up to there.
func TestOldCopyAndCut(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(dir, "copy.db")
	file := filepath.Join(dir, "late")
	r, err := recording.Create(file, recording.Options{Share: 100, Bytes: 1 << 30, For: time.Hour}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	skip := 10 // requests that were not recorded
	late := open(t, filepath.Join(dir, "late.db"), func(x cloud.Exchange) {
		if skip--; skip < 0 {
			r.Record(&recording.Entry{Start: x.Start, Customer: x.Customer, Table: x.Table, Endpoint: x.Endpoint, Method: x.Method, URI: x.URI, Headers: x.Headers, Body: x.Body, Status: x.Status})
		}
	}, nil)
	f := &replaytest.Fleet{URL: late.url.String(), Client: client(t), Keys: late.keys, AtOnce: 1, Seed: 2, Rows: 100}
	if err := f.Run(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b[:len(b)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	result, err := replay.Run(t.Context(), config(t, open(t, copied, nil, nil), file))
	if err != nil {
		t.Fatal(err)
	}
	problems := strings.Join(result.Problems, "\n")
	if !strings.Contains(problems, "is left out: the copy is at batch 0") || !strings.Contains(problems, "broken behind its entry") || result.LeftOut == 0 || result.Requests == 0 {
		t.Errorf("%+v %s", result, problems)
	}
}

// Spacing is that of the recording, scaled; an end comes at once.
func TestSpeed(t *testing.T) {
	_, file, copied := record(t, 3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	silent := time.AfterFunc(time.Minute, cancel)
	defer silent.Stop()
	target := open(t, copied, nil, func(http.ResponseWriter, *http.Request) bool {
		silent.Reset(2 * time.Second) // for others to come, were they not held back
		return false
	})
	c := config(t, target, file)
	c.Speed = 1e-9
	if result, err := replay.Run(ctx, c); !errors.Is(err, context.Canceled) || result.Requests > 30 {
		t.Errorf("%+v, %v", result, err)
	}
}
