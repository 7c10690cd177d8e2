package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"tidemark/agent/config"
)

// The log never takes more than (keep+1) x max_size of the disk, and the
// newest entries are there.
func TestLogIsBounded(t *testing.T) {
	for _, keep := range []int{0, 1, 3} {
		dir := filepath.Join(t.TempDir(), "new")
		log, closeIt, err := newLogger(config.Log{Level: "info", Format: "json", File: filepath.Join(dir, "a.log"), MaxSize: 4096, Keep: keep}, nil)
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
		f, err := openLogFile(path, 100, 1)
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
