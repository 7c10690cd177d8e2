package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever the sizes of lines and files, the last n lines are the last n.
func TestLastLines(t *testing.T) {
	root, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(root, fmt.Sprint(n), "a.log")
		f, err := openLogFile(path, int64(rapid.IntRange(200, 300_000).Draw(t, "max")), 100, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		var all []string
		for i := range rapid.IntRange(1, 60).Draw(t, "lines") {
			line := fmt.Sprintf("%d %s\n", i, strings.Repeat("x", rapid.SampledFrom([]int{0, 1, 80, 65_530, 140_000}).Draw(t, "len")))
			all = append(all, line)
			if _, err := f.Write([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		n := rapid.IntRange(0, 70).Draw(t, "n")
		want := all
		if n > 0 && n < len(all) {
			want = all[len(all)-n:]
		}
		var got bytes.Buffer
		r := logReader{path: path, keep: 100}
		if err := r.tail(n, &got); err != nil || got.String() != strings.Join(want, "") {
			t.Errorf("%d of %d lines: %d bytes, %v", n, len(all), got.Len(), err)
		}
	})
}

// A log that is followed loses no line to any number of rotations, nor tells
// one twice.
func TestFollowOverRotations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	var got safeBuffer
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r := logReader{path: path, keep: 50}
	go func() { done <- r.follow(ctx, &got) }() // before there is a log
	f, err := openLogFile(path, 300, 50, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var want strings.Builder
	for i := range 400 { // 40 lines a file, some files in each look
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		if i%50 == 0 {
			time.Sleep(followEvery / 4)
		}
	}
	for end := time.Now().Add(2 * time.Minute); got.String() != want.String() && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil || got.String() != want.String() {
		t.Errorf("%v, %d of %d bytes", err, len(got.String()), want.Len())
	}
}

func TestFollowFindsACutLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	write := func(text string) {
		t.Helper()
		f, err := openLogFile(path, 1000, 1, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			err = f.f.Truncate(0)
		} else {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	var got bytes.Buffer
	r := logReader{path: path, keep: 1}
	write("one\n")
	for _, step := range []string{"", "2\n"} {
		if err := r.more(&got); err != nil {
			t.Fatal(err)
		}
		write(step)
	}
	if err := r.more(&got); err != nil || got.String() != "one\n2\n" {
		t.Errorf("%q %v", got.String(), err)
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
