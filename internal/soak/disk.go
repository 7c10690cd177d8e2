//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// A disk is a small file system in memory, for one program's files.
type disk struct {
	dir     string
	mounted bool
}

// openDisk makes the folder, and mounts one of so many bytes there if it can;
// why tells why it could not.
func openDisk(dir string, bytes int64) (d *disk, why error) {
	d = &disk{dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return d, err
	}
	if os.Geteuid() != 0 {
		return d, errors.New("needs root")
	}
	if err := syscall.Mount("tidemark-soak", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", bytes)); err != nil {
		return d, fmt.Errorf("mount a tmpfs: %w", err)
	}
	d.mounted = true
	return d, nil
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill takes all that is free.
func (d *disk) fill() error {
	f, err := os.OpenFile(d.ballast(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for block := make([]byte, 1<<20); len(block) > 0 && err == nil; {
		if _, err = f.Write(block); errors.Is(err, syscall.ENOSPC) {
			block, err = block[:len(block)/16], nil
		} else if err == nil && len(block) < 1<<20 {
			err = io.EOF // enough: what is left is below a page or two
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// free gives it back.
func (d *disk) free() error {
	if err := os.Remove(d.ballast()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (d *disk) close() error {
	if !d.mounted {
		return nil
	}
	return syscall.Unmount(d.dir, syscall.MNT_DETACH)
}
