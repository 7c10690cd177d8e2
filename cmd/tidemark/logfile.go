package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// sweepEvery is how often files beside the log are looked at for their age.
const sweepEvery = time.Hour

// A logFile is a file that never grows over a size, nor is written to beyond
// an age: then it becomes name.1, the one before name.2, and so on, and the
// oldest goes, as does one that nothing was written to for that age. So no line
// is kept for more than twice the age, as long as lines are written. A disk
// that is full costs lines of the log, nothing else.
//
// Writes are serialized by whoever owns it.
type logFile struct {
	path string
	max  int64
	keep int
	age  time.Duration
	now  func() time.Time

	f     *os.File
	size  int64
	begun time.Time // its first line
	swept time.Time
}

func openLogFile(path string, size int64, keep int, age time.Duration) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	l := &logFile{path: path, max: size, keep: keep, age: age, now: time.Now}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.f, l.size, l.begun = f, info.Size(), l.now()
	if l.size > 0 {
		l.begun = begunAt(l.path, info.ModTime())
	}
	return nil
}

var lineTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d{4})`)

// begunAt returns the time of the first line of a log.
func begunAt(path string, unknown time.Time) time.Time {
	f, err := os.Open(path)
	if err != nil {
		return unknown
	}
	defer func() { _ = f.Close() }()
	first, _ := bufio.NewReader(f).Peek(256)
	at, err := time.Parse("2006-01-02T15:04:05.000Z0700", string(lineTime.Find(first)))
	if err != nil {
		return unknown
	}
	return at
}

// Write implements io.Writer; p is one entry and is never split.
func (l *logFile) Write(p []byte) (int, error) {
	now := l.now()
	if l.size > 0 && (l.size+int64(len(p)) > l.max || now.Sub(l.begun) >= l.age) {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	if now.Sub(l.swept) >= sweepEvery {
		l.sweep(now)
	}
	if l.size == 0 {
		l.begun = now
	}
	n, err := l.f.Write(p)
	l.size += int64(n)
	return n, err
}

// older is the name of the nth file beside the log.
func older(path string, n int) string {
	if n == 0 {
		return path
	}
	return fmt.Sprintf("%s.%d", path, n)
}

// rotate begins a new file. Where a file cannot be renamed, because another
// program has it open on Windows, it is cut instead: the bound counts.
func (l *logFile) rotate() error {
	if err := l.f.Close(); err != nil {
		return err
	}
	for n := l.keep; n > 0; n-- {
		_ = os.Rename(older(l.path, n-1), older(l.path, n))
	}
	if err := l.open(); err != nil || l.size == 0 {
		return err
	}
	l.size = 0
	return l.f.Truncate(0)
}

// sweep removes files that are too old.
func (l *logFile) sweep(now time.Time) {
	l.swept = now
	for n := 1; n <= l.keep; n++ {
		if info, err := os.Stat(older(l.path, n)); err == nil && now.Sub(info.ModTime()) >= l.age {
			_ = os.Remove(older(l.path, n))
		}
	}
}

// Sync implements zapcore.WriteSyncer.
func (l *logFile) Sync() error { return l.f.Sync() }

// Close closes the file.
func (l *logFile) Close() error { return l.f.Close() }
