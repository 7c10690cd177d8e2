package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// followEvery is how often a log that is followed is looked at.
const followEvery = 200 * time.Millisecond

// A logReader reads a log and the files that it was before. It keeps no file
// open, because on Windows one that is open cannot be renamed.
type logReader struct {
	path string
	keep int
	file os.FileInfo // that was read last; nil: none yet
	at   int64       // in it
}

// last finds where the last n lines begin, 0 for all: in which of the files
// (0 is the newest), and at which byte.
func (r *logReader) last(n int) (file int, at int64, err error) {
	var before os.FileInfo
	found := false
	for i := 0; i <= r.keep; i++ {
		f, info, err := openLog(older(r.path, i))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if found {
				return file, at, nil
			}
			continue
		case err != nil:
			return 0, 0, err
		}
		if before != nil && os.SameFile(before, info) { // it was renamed meanwhile
			_ = f.Close()
			continue
		}
		before, found, file, at = info, true, i, 0
		if n > 0 {
			at, n, err = linesFromEnd(f, info.Size(), n)
		}
		_ = f.Close()
		if err != nil || at > 0 {
			return file, at, err
		}
		if n < 0 { // all of them were here
			break
		}
	}
	if !found {
		return 0, 0, fs.ErrNotExist
	}
	return file, at, nil
}

// linesFromEnd returns where the last n lines of a file begin. Where it has
// fewer that is 0 and left tells how many are to be looked for elsewhere, -1 for
// none.
func linesFromEnd(f io.ReaderAt, size int64, n int) (at int64, left int, err error) {
	buf := make([]byte, 64<<10)
	left = n
	for end := size; end > 0; {
		from := max(0, end-int64(len(buf)))
		part := buf[:end-from]
		if _, err := f.ReadAt(part, from); err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, err
		}
		for i := len(part) - 1; i >= 0; i-- {
			if part[i] != '\n' || from+int64(i) == size-1 {
				continue
			}
			if left--; left == 0 {
				return from + int64(i) + 1, -1, nil
			}
		}
		end = from
	}
	if size > 0 {
		left-- // the first line has no newline before it
	}
	if left == 0 {
		left = -1
	}
	return 0, left, nil
}

// tail copies the last n lines to w, 0 for all, and remembers where they end.
func (r *logReader) tail(n int, w io.Writer) error {
	file, at, err := r.last(n)
	if err != nil {
		return err
	}
	return r.copyFrom(file, at, w)
}

// copyFrom copies a file from a byte on, and those that are newer.
func (r *logReader) copyFrom(file int, at int64, w io.Writer) error {
	for i := file; i >= 0; i-- {
		if err := r.copy(older(r.path, i), at, w); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		at = 0
	}
	return nil
}

func (r *logReader) copy(path string, at int64, w io.Writer) error {
	f, info, err := openLog(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	n, err := io.Copy(w, io.NewSectionReader(f, at, max(0, info.Size()-at)))
	r.file, r.at = info, at+n
	return err
}

// more copies what was written since, through all files that were begun
// meanwhile.
func (r *logReader) more(w io.Writer) error {
	for i := 0; i <= r.keep && r.file != nil; i++ {
		info, err := os.Stat(older(r.path, i))
		if err != nil || !os.SameFile(info, r.file) {
			continue
		}
		if info.Size() < r.at { // cut
			r.at = 0
		}
		if i == 0 && info.Size() == r.at {
			return nil
		}
		return r.copyFrom(i, r.at, w)
	}
	// What was read last is gone, or there was no log yet.
	file, at, err := r.last(0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return r.copyFrom(file, at, w)
}

// follow copies what is written until ctx ends.
func (r *logReader) follow(ctx context.Context, w io.Writer) error {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		if err := r.more(w); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// logTail returns the last n lines of a log, at most so many bytes of them.
func logTail(path string, keep, n int, bound int) ([]byte, error) {
	var b bytes.Buffer
	r := logReader{path: path, keep: keep}
	if err := r.tail(n, &b); err != nil {
		return nil, err
	}
	return lastLines(b.Bytes(), bound), nil
}

// lastLines cuts a text to whole lines of at most so many bytes.
func lastLines(text []byte, bound int) []byte {
	if len(text) > bound {
		_, text, _ = bytes.Cut(text[len(text)-bound:], []byte{'\n'})
	}
	return text
}

func openLog(path string) (*os.File, os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}
