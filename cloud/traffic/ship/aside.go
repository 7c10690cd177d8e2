package ship

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"tidemark/internal/fault"
)

// An Aside keeps lines that were not delivered in a file, one JSON object
// each, appended. It is made with the first one.
type Aside struct {
	path string
	most int64

	mu    sync.Mutex
	file  *os.File
	size  int64
	dirty bool
}

// NewAside keeps at most most bytes in the file at path. Beyond, Put fails:
// better to stop than to lose lines, or to fill a disk with what was no log.
func NewAside(path string, most int64) *Aside { return &Aside{path: path, most: most} }

// Put implements Rejects.
func (a *Aside) Put(r Reject) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		if err := a.open(); err != nil {
			return err
		}
	}
	if a.size+int64(len(b))+1 > a.most {
		return fault.New("write "+a.path, fmt.Errorf("it would grow over %d bytes", a.most),
			"Look at the lines in it: are these logs of load balancers? Then move the file away, or raise --aside-bytes.")
	}
	n, err := a.file.Write(append(b, '\n'))
	a.size += int64(n)
	a.dirty = true
	return err
}

func (a *Aside) open() error {
	f, err := os.OpenFile(a.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	a.file, a.size = f, info.Size()
	return nil
}

// Sync brings what was put to disk.
func (a *Aside) Sync() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.dirty {
		return nil
	}
	a.dirty = false
	return a.file.Sync()
}

// Close closes the file.
func (a *Aside) Close() error {
	err := a.Sync()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return err
	}
	err = errors.Join(err, a.file.Close())
	a.file = nil
	return err
}
