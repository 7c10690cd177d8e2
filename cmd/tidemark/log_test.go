package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"tidemark/agent/config"
)

// The log never takes more than (keep+1) x max_size of the disk, and the
// newest entries are there.
func TestLogIsBounded(t *testing.T) {
	for _, keep := range []int{0, 1, 3} {
		dir := filepath.Join(t.TempDir(), "new")
		log, closeIt, err := newLogger(config.Log{Level: "info", Format: "json", File: filepath.Join(dir, "a.log"), MaxSize: 4096, Keep: keep, MaxAge: time.Hour}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 500 {
			log.Info("entry", zap.Int("n", n), zap.String("pad", strings.Repeat("x", 50)))
		}
		closeIt()
		files, err := os.ReadDir(dir)
		if err != nil || len(files) != keep+1 {
			t.Errorf("keep %d: %d files, %v", keep, len(files), err)
		}
		var all []byte
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil || len(b) > 4096 {
				t.Errorf("keep %d: %s has %d bytes, %v", keep, f.Name(), len(b), err)
			}
			all = append(all, b...)
		}
		if !bytes.Contains(all, []byte(`"n":499`)) || bytes.Contains(all, []byte(`"n":0,`)) {
			t.Errorf("keep %d: not the newest entries", keep)
		}
	}
}

func TestLogGoesOnWhereItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	for range 2 {
		f, err := openLogFile(path, 100, 1, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("line\n")); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "line\nline\n" {
		t.Errorf("%q %v", b, err)
	}
}

// A file is closed at its age, and gone at that age again, also over restarts.
func TestLogHasAnAge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	now := time.Now().Truncate(time.Millisecond)
	at := func(d time.Duration) {
		t.Helper()
		f, err := openLogFile(path, 1<<20, 5, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		f.now = func() time.Time { return now.Add(d) }
		if _, err := fmt.Fprintf(f, "%s\tINFO\tat %s\n", now.Add(d).Format("2006-01-02T15:04:05.000Z0700"), d); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, now.Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	lines := func() (all []string) {
		t.Helper()
		for n := 5; n >= 0; n-- {
			b, err := os.ReadFile(older(path, n))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			var file []string
			for line := range strings.Lines(string(b)) {
				_, after, _ := strings.Cut(line, "at ")
				file = append(file, strings.TrimSpace(after))
			}
			if len(file) > 0 {
				all = append(all, strings.Join(file, " "))
			}
		}
		return all
	}
	for _, step := range []struct {
		at   time.Duration
		want []string
	}{
		{0, []string{"0s"}},
		{23 * time.Hour, []string{"0s 23h0m0s"}},
		{24 * time.Hour, []string{"0s 23h0m0s", "24h0m0s"}},
		{46 * time.Hour, []string{"0s 23h0m0s", "24h0m0s 46h0m0s"}},
		{47 * time.Hour, []string{"24h0m0s 46h0m0s 47h0m0s"}}, // 0s is older than twice the age
		{200 * time.Hour, []string{"200h0m0s"}},
	} {
		at(step.at)
		if diff := cmp.Diff(step.want, lines()); diff != "" {
			t.Errorf("after %s (-want +got)\n%s", step.at, diff)
		}
	}
}

func TestLogFormats(t *testing.T) {
	for format, want := range map[string]string{"text": "\tWARN\tslow\t{\"rows\": 5}", "json": `"msg":"slow","rows":5}`} {
		var out bytes.Buffer
		log, closeIt, err := newLogger(config.Log{Level: "warn", Format: format}, &out)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("hidden")
		log.Warn("slow", zap.Int("rows", 5))
		closeIt()
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "hidden") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
}

// Loggers made before a reload go where the log goes now, with their fields;
// what was prepared and dropped changes nothing.
func TestLogFollowsTheConfiguration(t *testing.T) {
	var out bytes.Buffer
	l, err := openServiceLog(config.Log{Level: "warn", Format: "text"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	of := l.With(zap.String("source", "main"))
	of.Info("no")
	path := filepath.Join(t.TempDir(), "a.log")
	file := config.Log{Level: "info", Format: "json", File: path, MaxSize: 1 << 20, Keep: 1, MaxAge: time.Hour}
	dropped, err := l.prepare(file)
	if err != nil {
		t.Fatal(err)
	}
	dropped.drop()
	of.Info("no")
	for range 2 { // the same file stays open
		next, err := l.prepare(file)
		if err != nil {
			t.Fatal(err)
		}
		l.become(next)
		of.Info("yes")
		file.Keep = 2
	}
	if l.file.keep != 2 {
		t.Errorf("keeps %d", l.file.keep)
	}
	file.File = filepath.Join(path, "below")
	if _, err := l.prepare(file); err == nil {
		t.Error("a log below a file")
	}
	b, err := os.ReadFile(path)
	if err != nil || bytes.Count(b, []byte(`"msg":"yes","source":"main"`)) != 2 || out.Len() > 0 {
		t.Errorf("%v\n%s\n%s", err, b, out.String())
	}
}
