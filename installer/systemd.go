//go:build !windows

package installer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tidemark/internal/fault"
)

// systemd is the part of a registration that is systemd's.
type systemd struct {
	options Options
	user    string // who it runs as
	program string
	root    string // of all paths; "" but in tests
	run     func(name string, args ...string) error
	group   func(name string) (uid, gid int, err error)
}

// packagedUnit is where a package lays a unit, writtenUnit where a
// registration does, which then counts.
func (s *systemd) packagedUnit() string {
	return filepath.Join(s.root, "/usr/lib/systemd/system", s.options.Name+".service")
}

func (s *systemd) writtenUnit() string {
	return filepath.Join(s.root, "/etc/systemd/system", s.options.Name+".service")
}

// packaged tells whether a package's unit already is what is asked for.
func (s *systemd) packaged() bool {
	body, err := os.ReadFile(s.packagedUnit())
	return err == nil && string(body) == unit(s.options, s.user, s.program).String()
}

func (s *systemd) register(create func() error) (changed []string, err error) {
	note := func(did bool, what string, failed error) {
		if did && failed == nil {
			changed = append(changed, what)
		}
		err = errors.Join(err, failed)
	}
	did, failed := s.account()
	note(did, "made the account "+s.user, failed)
	if err != nil {
		return changed, err
	}
	did, failed = s.share(s.options.Config)
	note(did, "let "+s.user+" read "+s.options.Config, failed)
	for _, dir := range unit(s.options, s.user, s.program).Writable {
		did, failed = s.give(dir)
		note(did, "gave "+dir+" to "+s.user, failed)
	}
	did, failed = s.unit(create)
	note(did, "wrote the unit", failed)
	return changed, err
}

// unit writes the unit and has systemd take it, unless it is there.
func (s *systemd) unit(create func() error) (bool, error) {
	path, want := s.writtenUnit(), unit(s.options, s.user, s.program).String()
	is, err := os.ReadFile(path)
	switch {
	case err == nil && string(is) == want, errors.Is(err, os.ErrNotExist) && s.packaged():
		return false, s.run("systemctl", "enable", "--quiet", s.options.Name+".service")
	case err == nil:
		if err := os.Remove(path); err != nil { // or it is refused as being there
			return false, err
		}
	case !errors.Is(err, os.ErrNotExist):
		return false, err
	}
	return true, create()
}

func (s *systemd) unregister(remove func() error) error {
	if _, err := os.Stat(s.writtenUnit()); errors.Is(err, os.ErrNotExist) {
		// A package's: its files are the package manager's to remove.
		return s.run("systemctl", "disable", "--quiet", s.options.Name+".service")
	}
	return remove()
}

// start implements system: systemctl waits for READY=1.
func (s *systemd) start(_ context.Context, start func() error) error { return start() }

// stop implements system: systemctl waits for the process.
func (s *systemd) stop(stop func() error) error { return stop() }

// account makes the account if it is the default one; another one has to be
// there.
func (s *systemd) account() (bool, error) {
	_, _, err := s.group(s.user)
	var unknown user.UnknownUserError
	if !errors.As(err, &unknown) {
		return false, err
	}
	if s.user != defaultUser {
		return false, fault.New("find the account", err, "make it, or leave --user away: then "+defaultUser+" is made")
	}
	return true, s.run("useradd", "--system", "--user-group", "--home-dir", defaultState, "--no-create-home",
		"--shell", "/usr/sbin/nologin", "--comment", "Tidemark agent", s.user)
}

// share lets the service's group read a file that only its owner may.
func (s *systemd) share(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o004 != 0 {
		return false, err
	}
	uid, gid, err := s.group(s.user)
	if err != nil || uid == 0 {
		return false, err
	}
	if owner, group, ok := owners(info); ok && (owner == uid || group == gid && info.Mode().Perm()&0o040 != 0) {
		return false, nil
	}
	return true, errors.Join(os.Chown(path, -1, gid), os.Chmod(path, info.Mode().Perm()|0o040))
}

// give makes a directory and gives it to the service.
func (s *systemd) give(dir string) (bool, error) {
	uid, gid, err := s.group(s.user)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) {
		return true, errors.Join(os.MkdirAll(dir, 0o750), os.Chown(dir, uid, gid))
	}
	if err != nil {
		return false, err
	}
	if owner, _, ok := owners(info); !ok || owner == uid || uid == 0 {
		return false, nil
	}
	if owner, _, _ := owners(info); owner != 0 {
		return false, fmt.Errorf("%s belongs to another account", dir)
	}
	return true, os.Chown(dir, uid, gid)
}

// commandTime bounds a command of the system.
const commandTime = time.Minute

func runCommand(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// userIDs returns the numbers of an account and its group.
func userIDs(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}
