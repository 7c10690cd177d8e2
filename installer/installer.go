package installer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/kardianos/service"

	"tidemark/internal/fault"
)

// DefaultName is the service's name when none is given.
const DefaultName = "tidemark"

// Options say what is registered.
type Options struct {
	Name   string // of the service; "" is DefaultName
	Config string // the configuration file
	// User is the account that it runs as; "" is the user tidemark, made when
	// it is not there, and on Windows the virtual account of the service.
	User     string
	Password string   // of User, on Windows; "" for accounts without, and to leave it as it is
	State    string   // the agent's state directory
	Secrets  string   // directory of secrets; on Windows it is closed to all but the service
	Writable []string // further directories that it writes to
}

// A Service is the agent as the service manager knows it.
type Service struct {
	options Options
	program string
	manager manager
	system  system
}

// manager is what kardianos/service does here.
type manager interface {
	Install() error
	Uninstall() error
	Start() error
	Stop() error
	Status() (service.Status, error)
}

// system is what it does not.
type system interface {
	// register brings the registration in order and tells what it changed;
	// create says how one is made that is not there.
	register(create func() error) ([]string, error)
	// unregister takes away what register made, but for data; remove says how
	// the registration goes.
	unregister(remove func() error) error
	// start starts it by start, and waits until it does what it is for.
	start(ctx context.Context, start func() error) error
	// stop stops it by stop, and waits until its process is gone.
	stop(stop func() error) error
}

// Errors found with errors.Is.
var (
	ErrNoManager    = errors.New("neither systemd nor the Windows service manager is here")
	ErrNotInstalled = service.ErrNotInstalled
)

// New prepares a service without touching anything.
func New(o Options) (*Service, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if p := service.Platform(); p != "linux-systemd" && runtime.GOOS != "windows" {
		return nil, fault.New("find the service manager", ErrNoManager, "run `tidemark run` under the one that is here")
	}
	var err error
	if o.Config, err = filepath.Abs(o.Config); err != nil {
		return nil, err
	}
	if o.Secrets != "" {
		if o.Secrets, err = filepath.Abs(o.Secrets); err != nil {
			return nil, err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return nil, fault.New("find the program", err, "")
	}
	m, err := service.New(idle{}, settings(o, program))
	if err != nil {
		return nil, fault.New("find the service manager", err, "")
	}
	return &Service{options: o, program: program, manager: m, system: newSystem(o, program)}, nil
}

// settings are kardianos/service's. What it cannot say is left to the system.
func settings(o Options, program string) *service.Config {
	return &service.Config{
		Name:        o.Name,
		DisplayName: "Tidemark",
		Description: "Keeps a cloud copy of SQL Server tables",
		UserName:    account(o),
		Executable:  program,
		Arguments:   []string{"run", "--config", o.Config},
		Option: service.KeyValue{
			"SystemdScript": unit(o, account(o), program).String(),
			"Password":      o.Password,
		},
	}
}

// Install registers the running program, or brings its registration in order.
// It is not started. It tells what it changed.
func (s *Service) Install() ([]string, error) {
	if _, err := os.Stat(s.options.Config); err != nil {
		return nil, fault.New("install the service", err, "name the configuration file with --config")
	}
	changed, err := s.system.register(s.manager.Install)
	return changed, s.done("install the service", err)
}

// Repair brings the registration of an installed service in order and tells
// what it changed. With register, one that is not installed is, whether it has
// a configuration yet or not.
func (s *Service) Repair(register bool) ([]string, error) {
	if _, err := s.Status(); errors.Is(err, ErrNotInstalled) && !register {
		return nil, err
	}
	changed, err := s.system.register(s.manager.Install)
	return changed, s.done("repair the service", err)
}

// Uninstall stops the service and unregisters it. It tells whether there was
// one. The program, its configuration and its state stay, but with purge the
// state goes.
func (s *Service) Uninstall(purge bool) (bool, error) {
	state, err := s.manager.Status()
	there := !errors.Is(err, service.ErrNotInstalled)
	if there {
		if err != nil || state == service.StatusRunning { // it may be failing: between two starts
			if err := s.system.stop(s.manager.Stop); err != nil {
				return there, s.done("stop the service", err)
			}
		}
		if err := s.system.unregister(s.manager.Uninstall); err != nil {
			return there, s.done("uninstall the service", err)
		}
	}
	if !purge {
		return there, nil
	}
	return there, fault.New("remove the state", purgeState(s.options.State), "remove what is left of "+s.options.State+" by hand")
}

// Start starts it; one that runs is left alone.
func (s *Service) Start(ctx context.Context) error {
	if state, err := s.manager.Status(); err == nil && state == service.StatusRunning {
		return nil
	}
	return s.done("start the service", s.system.start(ctx, s.manager.Start))
}

// Stop stops it; one that does not run is left alone.
func (s *Service) Stop(context.Context) error {
	if state, err := s.manager.Status(); err == nil && state == service.StatusStopped {
		return nil
	}
	return s.done("stop the service", s.system.stop(s.manager.Stop))
}

// Restart stops it if it runs, and starts it.
func (s *Service) Restart(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Status is what the service manager says: "running", "stopped" or "failed",
// or ErrNotInstalled.
func (s *Service) Status() (string, error) {
	state, err := s.manager.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return "", s.done("ask the service manager", err)
	case err != nil && runtime.GOOS != "windows":
		return "failed", nil // all else that systemd's part says
	case err != nil:
		return "", s.done("ask the service manager", err)
	case state == service.StatusRunning:
		return "running", nil
	case state == service.StatusStopped:
		return "stopped", nil
	}
	return "", s.done("ask the service manager", fmt.Errorf("state %d", state))
}

// done adds what to do about an error.
func (s *Service) done(op string, err error) error {
	hint := fault.Hint(err)
	switch {
	case hint != "":
	case errors.Is(err, service.ErrNotInstalled):
		hint = "`tidemark service install` registers it"
	case runtime.GOOS == "windows":
		hint = "run this in a shell that was opened as administrator; the event log tells why a service does not start"
	case os.Geteuid() != 0:
		hint = "run this as root (sudo)"
	default:
		hint = fmt.Sprintf("`systemctl status %s` and `journalctl -u %s` tell more", s.options.Name, s.options.Name)
	}
	return fault.New(op, err, hint)
}

// idle is what is registered but not run from here.
type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }
