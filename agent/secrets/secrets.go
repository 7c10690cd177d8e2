// Package secrets keeps what must not stand in a configuration file: the
// cloud's key, passwords of logins.
//
// Each secret is a file of its own in a directory beside the configuration
// file. Elsewhere than on Windows only its owner may read it (mode 0600, in a
// directory of mode 0700); on Windows it is sealed with DPAPI for the machine,
// and the directory is closed to all but administrators, the system and the
// service. What systemd hands to a service as credentials
// (systemd.exec(5), LoadCredential=) is found under the same names and comes
// first.
package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MaxBytes bounds a secret.
const MaxBytes = 64 << 10

// suffix is that of the files, so that they are not taken for others.
const suffix = ".secret"

// Errors of a Store, found with errors.Is.
var (
	ErrNone  = errors.New("there is no such secret")
	ErrName  = errors.New("not a name: 1 to 63 lower case letters, digits, dots, dashes or underscores, the first a letter or digit")
	ErrEmpty = errors.New("the secret is empty")
	ErrLarge = fmt.Errorf("the secret has more than %d bytes", MaxBytes)
)

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// CheckName tells whether a secret can have that name.
func CheckName(name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%q is %w", name, ErrName)
	}
	return nil
}

// A Store is the secrets in one directory, which is made with the first one.
// The zero value of credentials means that systemd handed none over.
type Store struct {
	dir         string
	credentials string // directory of systemd's credentials
	like        string // whose owner a new directory gets
}

// Beside returns the store that belongs to a configuration file.
func Beside(config string) *Store {
	return In(filepath.Join(filepath.Dir(config), "secrets"))
}

// In returns the store in dir.
func In(dir string) *Store {
	return &Store{dir: dir, credentials: os.Getenv("CREDENTIALS_DIRECTORY")}
}

// Dir is where the secrets are.
func (s *Store) Dir() string { return s.dir }

// OwnedLike has a directory that is yet to be made belong to whoever owns
// path: an administrator sets secrets that the service's account reads.
func (s *Store) OwnedLike(path string) { s.like = path }

// Get returns a secret. White space at its end is not part of it.
func (s *Store) Get(name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	if s.credentials != "" {
		b, err := read(filepath.Join(s.credentials, name))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return trimmed(b, err)
		}
	}
	b, err := read(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrNone, name)
	}
	if err == nil {
		b, err = unseal(name, b)
	}
	return trimmed(b, err)
}

// trimmed is the text of a secret without white space behind it.
func trimmed(b []byte, err error) (string, error) {
	text := strings.TrimRight(string(b), " \t\r\n")
	if err == nil && text == "" {
		err = ErrEmpty
	}
	if err != nil {
		return "", err
	}
	return text, nil
}

// read reads a small file. A sealed secret is a little larger than what is in
// it.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, 2*MaxBytes+1))
	if err == nil && len(b) > 2*MaxBytes {
		err = ErrLarge
	}
	return b, err
}

// Set keeps a secret, in place of one that has the name.
func (s *Store) Set(name, value string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(value) == "":
		return ErrEmpty
	case len(value) > MaxBytes:
		return ErrLarge
	}
	if err := s.make(); err != nil {
		return err
	}
	b, err := seal(name, []byte(value))
	if err != nil {
		return err
	}
	return s.replace(s.path(name), b)
}

// Ready tells whether a secret can be kept now, for whoever is about to get
// one that cannot be had again.
func (s *Store) Ready() error {
	if err := s.make(); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.dir, ".new-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// make makes the directory where it is not there.
func (s *Store) make() error {
	if _, err := os.Stat(s.dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return closeDir(s.dir, s.like)
}

// replace writes a file whole or not at all.
func (s *Store) replace(path string, b []byte) (err error) {
	f, err := os.CreateTemp(s.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // a second time, perhaps
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = io.Copy(f, bytes.NewReader(b)); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = ownLike(f.Name(), s.dir); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Remove forgets a secret; ErrNone when there is none.
func (s *Store) Remove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrNone, name)
	}
	return err
}

// An Entry is a secret as it is listed: never what is in it.
type Entry struct {
	Name string    `json:"name"`
	Set  time.Time `json:"set"`
	From string    `json:"from"` // "store" or "systemd"
}

// List lists the secrets by name, none when the directory is not there.
func (s *Store) List() ([]Entry, error) {
	all, err := list(s.dir, suffix, "store")
	if err == nil && s.credentials != "" {
		var more []Entry
		more, err = list(s.credentials, "", "systemd")
		all = append(all, more...)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, err
}

func list(dir, suffix, from string) (all []Entry, err error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), suffix)
		if !ok || CheckName(name) != nil || f.IsDir() {
			continue
		}
		if info, err := f.Info(); err == nil { // else it was removed just now
			all = append(all, Entry{name, info.ModTime(), from})
		}
	}
	return all, err
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name+suffix) }
