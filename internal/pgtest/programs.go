//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// ErrMissing says that initdb and pg_ctl are neither in PATH nor where
// Debian's packages put them.
var ErrMissing = errors.New("no Postgres server programs (on Debian: apt-get install postgresql)")

// programs are Postgres' server programs and the user that runs them.
type programs struct {
	dir string
	as  *syscall.Credential // nil: the process's own user
}

func findPrograms() (programs, error) {
	dir, err := programsDir()
	if err != nil {
		return programs{}, err
	}
	p := programs{dir: dir}
	if os.Geteuid() == 0 {
		p.as, err = unprivileged()
	}
	return p, err
}

func programsDir() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrMissing
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) })
	return filepath.Dir(newest), nil
}

// majorVersion of /usr/lib/postgresql/15/bin/initdb is 15.
func majorVersion(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 sorts what is no number last
	return n
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("as root there must be a user postgres or nobody to run Postgres as")
}

// own gives dir to the user that runs the programs.
func (p programs) own(dir string) error {
	if p.as == nil {
		return nil
	}
	return os.Chown(dir, int(p.as.Uid), int(p.as.Gid))
}

// attr starts a command as p's user and away from the terminal's signals.
func (p programs) attr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: p.as, Setsid: true}
}

func (p programs) run(ctx context.Context, dir, name string, args ...string) error {
	path := name // of a client program
	if !filepath.IsAbs(name) {
		path = filepath.Join(p.dir, name)
	}
	name = filepath.Base(name)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = p.attr()
	// A file, not a pipe: the server that pg_ctl leaves behind inherits it.
	out, err := os.Create(filepath.Join(dir, name+".out"))
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w\n%s", name, err, said)
	}
	return nil
}
