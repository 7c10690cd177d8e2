package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tidemark/cloud/traffic/recording"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func entry(i int, body string) *recording.Entry {
	return &recording.Entry{Start: start.Add(time.Duration(i) * time.Second), ID: fmt.Sprint(i), Customer: "acme", Table: fmt.Sprint("t", i%3), Endpoint: "POST rows",
		Method: "POST", URI: "/v1/customers/acme/tables/t/rows", Host: "sync.example.com", Headers: map[string]string{"Content-Type": "application/x-ndjson"},
		Status: 200, Took: 1500, BytesOut: 10, Blocks: 3, Body: []byte(body)}
}

func write(t testing.TB, entries ...*recording.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := recording.NewWriter(&b, recording.Header{Started: start, Server: "1.2.3", Share: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(in io.Reader) (out []*recording.Entry, h recording.Header, err error) {
	r, err := recording.NewReader(in)
	if err != nil {
		return nil, h, err
	}
	defer r.Close()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, r.Header(), nil
		}
		if err != nil {
			return out, r.Header(), err
		}
		out = append(out, e)
	}
}

func TestRoundTrip(t *testing.T) {
	want := []*recording.Entry{entry(1, ""), entry(2, "body"), {Customer: "acme", Table: "t", Gap: true}, entry(3, strings.Repeat("large", 100_000))}
	want[0].Body = []byte{}
	got, h, err := read(bytes.NewReader(write(t, want...)))
	if err != nil || h != (recording.Header{Started: start, Server: "1.2.3", Share: 10}) {
		t.Fatalf("%+v, %v", h, err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Error(diff)
	}
}

// Wherever a recording is cut, what is before the cut is read, and the cut is
// told.
func TestCut(t *testing.T) {
	var entries []*recording.Entry
	for i := range 50 {
		entries = append(entries, entry(i, strings.Repeat(fmt.Sprint(i*7919), 10+i*17)))
	}
	whole := write(t, entries...)
	for at := 0; at < len(whole); at += 1 + len(whole)/211 {
		got, _, err := read(bytes.NewReader(whole[:at]))
		var broken *recording.BrokenError
		if err == nil || errors.As(err, &broken) && broken.Entries != len(got) {
			t.Fatalf("cut at %d of %d: %d entries, %v", at, len(whole), len(got), err)
		}
		if diff := cmp.Diff(entries[:len(got)], append([]*recording.Entry{}, got...), cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatalf("cut at %d: %s", at, diff)
		}
	}
	if _, _, err := read(strings.NewReader("GET / HTTP/1.1")); err == nil {
		t.Error("what is no recording is no error")
	}
}

func create(t *testing.T, o recording.Options) (*recording.Recorder, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recording")
	r, err := recording.Create(path, o, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, path
}

func readFile(t *testing.T, path string) []*recording.Entry {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, _, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func now(e *recording.Entry) *recording.Entry {
	e.Start = time.Now()
	return e
}

func TestRecorder(t *testing.T) {
	r, path := create(t, recording.Options{Share: 100, Bytes: 1 << 30, For: time.Hour})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 100 {
				r.Record(now(entry(i, "body")))
			}
		})
	}
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.Record(now(entry(1, "too late")))
	if got := readFile(t, path); len(got) != 800 || r.Figures().Entries != 800 {
		t.Errorf("%d entries, %+v", len(got), r.Figures())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := recording.Create(path, recording.Options{}, time.Now()); err == nil {
		t.Error("a recording is written over")
	}
}

// What has no room to wait leaves a gap, behind which its table has nothing.
func TestGap(t *testing.T) {
	r, path := create(t, recording.Options{Share: 100, Bytes: 1 << 30, For: time.Hour, Waiting: 1000})
	r.Record(now(entry(1, "small")))
	r.Record(now(entry(4, strings.Repeat("x", 2000)))) // the same table
	r.Record(now(entry(7, "small")))
	r.Record(now(entry(2, "another")))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range readFile(t, path) {
		got = append(got, fmt.Sprint(e.Table, " ", e.ID, " ", e.Gap))
	}
	if diff := cmp.Diff([]string{"t1 1 false", "t2 2 false", "t1  true"}, got); diff != "" {
		t.Error(diff)
	}
	if f := r.Figures(); f.LeftOut != 2 {
		t.Errorf("%+v", f)
	}
}

// A recording ends at its bounds of size, of time, and of customers.
func TestBounds(t *testing.T) {
	r, path := create(t, recording.Options{Share: 100, Bytes: 2 << 20, For: time.Hour})
	body := make([]byte, 100_000)
	for i := range 100 {
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(body)
		r.Record(now(entry(i, string(body))))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(readFile(t, path)); got == 0 || got == 100 || !r.Figures().Ended {
		t.Errorf("%d entries, %+v", got, r.Figures())
	}
	ends := func() {
		for !r.Figures().Ended {
			time.Sleep(time.Millisecond)
		}
	}
	r, path = create(t, recording.Options{Share: 100, Bytes: 1 << 30, For: time.Hour})
	late := now(entry(1, ""))
	late.Start = late.Start.Add(2 * time.Hour)
	r.Record(late)
	ends()
	r.Record(now(entry(2, "")))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(readFile(t, path)); got != 1 {
		t.Errorf("%d entries after its time", got)
	}
	r, _ = create(t, recording.Options{Share: 100, Bytes: 1 << 30, For: -time.Second})
	ends() // though nothing comes
	r, _ = create(t, recording.Options{Share: 20, Bytes: 1 << 30, For: time.Hour})
	in := 0
	for i := range 1000 {
		if r.Wants(fmt.Sprint("customer", i)) {
			in++
		}
	}
	if in < 150 || in > 250 {
		t.Errorf("%d of 1000 customers are 20 percent", in)
	}
}

// Whatever a file holds, its reader ends, with entries that can be written.
func FuzzReader(f *testing.F) {
	whole := write(f, entry(1, "body"), &recording.Entry{Customer: "a", Table: "t", Gap: true}, entry(2, strings.Repeat("x", 100_000)))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("tidemark-recording 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, _, _ := read(bytes.NewReader(b))
		write(t, entries...)
	})
}
