package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A fullDisk is a file of this process that can be read and not written:
// /dev/full is in its place. What is mapped stays mapped.
type fullDisk struct{ fd, kept int }

func fillDisk(path string) (*fullDisk, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != path {
			continue
		}
		f := &fullDisk{}
		if _, err := fmt.Sscan(e.Name(), &f.fd); err != nil {
			return nil, err
		}
		full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		defer func() { _ = full.Close() }()
		if f.kept, err = syscall.Dup(f.fd); err != nil {
			return nil, err
		}
		return f, syscall.Dup3(int(full.Fd()), f.fd, syscall.O_CLOEXEC)
	}
	return nil, fmt.Errorf("%s is not open", path)
}

func (f *fullDisk) mend() {
	_ = syscall.Dup3(f.kept, f.fd, syscall.O_CLOEXEC)
	_ = syscall.Close(f.kept)
}
