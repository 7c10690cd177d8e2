package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A logFile is a file that never grows over a size: then it becomes name.1,
// the one before name.2, and so on, and the oldest goes. A disk that is full
// costs lines of the log, nothing else.
//
// Writes are serialized by whoever owns it.
type logFile struct {
	path string
	max  int64
	keep int
	f    *os.File
	size int64
}

func openLogFile(path string, size int64, keep int) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	l := &logFile{path: path, max: size, keep: keep}
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
	l.f, l.size = f, info.Size()
	return nil
}

// Write implements io.Writer; p is one entry and is never split.
func (l *logFile) Write(p []byte) (int, error) {
	if l.size > 0 && l.size+int64(len(p)) > l.max {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.f.Write(p)
	l.size += int64(n)
	return n, err
}

// rotate begins a new file. Where a file cannot be renamed, because another
// program has it open on Windows, it is cut instead: the bound counts.
func (l *logFile) rotate() error {
	if err := l.f.Close(); err != nil {
		return err
	}
	for n := l.keep; n > 0; n-- {
		older := fmt.Sprintf("%s.%d", l.path, n)
		newer := fmt.Sprintf("%s.%d", l.path, n-1)
		if n == 1 {
			newer = l.path
		}
		_ = os.Rename(newer, older)
	}
	if err := l.open(); err != nil || l.size == 0 {
		return err
	}
	l.size = 0
	return l.f.Truncate(0)
}

// Sync implements zapcore.WriteSyncer.
func (l *logFile) Sync() error { return l.f.Sync() }

// Close closes the file.
func (l *logFile) Close() error { return l.f.Close() }
