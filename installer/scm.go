package installer

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// A registration is what the Windows service manager remembers of a service,
// as far as it is ours to say.
type registration struct {
	Command     string // line: program and arguments
	Account     string
	Automatic   bool // started with the machine
	Delayed     bool // after what people wait for
	DisplayName string
	Description string
}

// recovery is what the manager does when the service dies.
type recovery struct {
	Restart []time.Duration // after the first, second and every further time
	Reset   time.Duration   // so long without one, and the next is the first again
	// Failed has a service that reports its own failure count as one that died.
	Failed bool
}

// wantedRecovery mends what is passing at once and does not hammer at what is
// not.
var wantedRecovery = recovery{
	Restart: []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute}, Reset: 24 * time.Hour, Failed: true,
}

// scm is a service of the Windows service manager.
type scm interface {
	Registration() (registration, error)
	// Register changes it. An account of "" stays, and so does a password.
	Register(r registration, password string) error
	Recovery() (recovery, error)
	Recover(recovery) error
	// EventSource makes the service's source of the event log if it is not
	// there, and tells whether it was not.
	EventSource() (bool, error)
	// Grant lets the account in: logging on as a service, and these folders. It
	// tells whether it could not before.
	Grant(account string, folders []folder) (bool, error)
}

// errUnknownHere is what a manager has no notion of: Wine's has neither
// delayed start nor recovery. There is nothing to bring in order then.
var errUnknownHere = errors.New("this service manager does not know it")

// A folder is one that the service reads, or writes to.
type folder struct {
	path   string
	write  bool
	closed bool // wherever it is: to all but administrators, the system and the service
}

// repair brings a service in order and tells what was not. What fails does not
// keep the rest from being mended. Where no account is asked for, one that
// somebody chose stays, and own replaces the one that may do everything.
func repair(s scm, want registration, own, password string, folders []folder) (changed []string, err error) {
	note := func(did bool, what string, failed error) {
		if did && failed == nil {
			changed = append(changed, what)
		}
		err = errors.Join(err, failed)
	}
	is, err := s.Registration()
	if err != nil {
		return nil, err
	}
	if want.Account == "" {
		want.Account = is.Account
		if isLocalSystem(is.Account) {
			want.Account = own
		}
	}
	granted := want.Account
	differs := diff(is, want)
	if strings.EqualFold(want.Account, is.Account) {
		want.Account = "" // as it is
	}
	if len(differs) > 0 || password != "" {
		failed := s.Register(want, password)
		note(true, "set "+strings.Join(differs, ", "), failed)
	}
	again, failed := s.Recovery()
	if failed != nil || !again.equal(wantedRecovery) { // one that cannot be read can perhaps be set
		failed = s.Recover(wantedRecovery)
		if !errors.Is(failed, errUnknownHere) {
			note(true, "set the recovery", failed)
		}
	}
	did, failed := s.EventSource()
	note(did, "made the event source", failed)
	did, failed = s.Grant(granted, folders)
	note(did, "let "+granted+" at its folders", failed)
	return changed, err
}

func diff(is, want registration) (differs []string) {
	for _, d := range []struct {
		what   string
		differ bool
	}{
		{"command", is.Command != want.Command},
		{"account", !strings.EqualFold(is.Account, want.Account)},
		{"start", is.Automatic != want.Automatic || is.Delayed != want.Delayed},
		{"name", is.DisplayName != want.DisplayName || is.Description != want.Description},
	} {
		if d.differ {
			differs = append(differs, d.what)
		}
	}
	return differs
}

func (r recovery) equal(o recovery) bool {
	return slices.Equal(r.Restart, o.Restart) && r.Reset == o.Reset && r.Failed == o.Failed
}

// isLocalSystem tells whether an account is the one that a service gets when
// nobody chose: it may do everything, which ours need not.
func isLocalSystem(account string) bool {
	name := strings.ToLower(account)
	return name == "" || name == "localsystem" || name == `nt authority\system` || name == `.\localsystem`
}

// hasPassword tells whether an account logs on with a password: the system's
// own, virtual ones and group managed ones (which end with $) do not.
func hasPassword(account string) bool {
	name := strings.ToLower(account)
	for _, own := range []string{`nt service\`, `nt authority\`} {
		if strings.HasPrefix(name, own) {
			return false
		}
	}
	return !isLocalSystem(account) && !strings.HasSuffix(name, "$")
}
