package ship

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tidemark/internal/fault"
)

// saveEvery is how old a checkpoint may be while logs move.
const saveEvery = time.Second

// maxRemembered bounds the files that a checkpoint remembers: beyond, those
// that are no longer there are forgotten, then those done longest ago.
const maxRemembered = 100_000

// A Checkpoint is a file that remembers how far each log has been delivered.
// One program uses it at a time.
type Checkpoint struct {
	path string

	mu     sync.Mutex
	before func() error // called before each save
	saved  time.Time
	files  map[string]Mark
}

// A Mark is what is known of one log.
type Mark struct {
	Position
	Head string    `json:"head"` // of its first bytes: another file under the same name begins anew
	Size int64     `json:"size"` // of the file when it was done
	Done bool      `json:"done"`
	Time time.Time `json:"time"`
}

type checkpointFile struct {
	Version int             `json:"version"`
	Files   map[string]Mark `json:"files"`
}

// OpenCheckpoint reads the checkpoint at path; one that is not there is new.
// before is called before each save: what a checkpoint passes over must be on
// disk.
func OpenCheckpoint(path string, before func() error) (*Checkpoint, error) {
	op := "read the checkpoint " + path
	c := &Checkpoint{path: path, before: before, files: map[string]Mark{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, c.save() // a place that cannot be written is an error now, not after the first batch
	}
	if err != nil {
		return nil, fault.New(op, err, "")
	}
	f := checkpointFile{Files: c.files}
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fault.New(op, err, "The file is damaged. Moved away, all logs are delivered again from their beginning.")
	}
	if f.Version != 1 {
		return nil, fault.New(op, fmt.Errorf("its version is %d, known is 1", f.Version), "A newer program wrote it: use that one.")
	}
	return c, nil
}

// Get returns what is known of a file.
func (c *Checkpoint) Get(file string) Mark {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.files[file]
}

// Put notes a mark, and saves it when the last save is a while ago or the file
// is done.
func (c *Checkpoint) Put(file string, m Mark) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.Time = time.Now().UTC()
	c.files[file] = m
	if !m.Done && time.Since(c.saved) < saveEvery {
		return nil
	}
	return c.save()
}

// Save saves what is noted.
func (c *Checkpoint) Save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.save()
}

// save replaces the file in one step, so that it is always whole.
func (c *Checkpoint) save() error {
	op := "write the checkpoint " + c.path
	if c.before != nil {
		if err := c.before(); err != nil {
			return fault.New(op, err, "")
		}
	}
	c.forget()
	b, err := json.MarshalIndent(checkpointFile{Version: 1, Files: c.files}, "", " ")
	if err != nil {
		return fault.New(op, err, "")
	}
	temporary := c.path + ".new"
	if err := writeSynced(temporary, b); err != nil {
		return fault.New(op, err, "Logs stay where they are; delivered lines may come twice.")
	}
	if err := os.Rename(temporary, c.path); err != nil {
		return fault.New(op, err, "")
	}
	c.saved = time.Now()
	return nil
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

func (c *Checkpoint) forget() {
	if len(c.files) <= maxRemembered {
		return
	}
	maps.DeleteFunc(c.files, func(file string, _ Mark) bool {
		_, err := os.Stat(filepath.Clean(file))
		return errors.Is(err, fs.ErrNotExist)
	})
	oldest := slices.SortedFunc(maps.Keys(c.files), func(a, b string) int { return c.files[a].Time.Compare(c.files[b].Time) })
	for _, file := range oldest[:max(0, len(oldest)-maxRemembered)] {
		delete(c.files, file)
	}
}
