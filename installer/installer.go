package installer

import (
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
	User   string // account that it runs as; "" is root, on Windows the local system
}

// A Service is the agent as the service manager knows it.
type Service struct {
	manager service.Service
	config  string
	name    string
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
	config, err := filepath.Abs(o.Config)
	if err != nil {
		return nil, err
	}
	m, err := service.New(idle{}, settings(o, config))
	if err != nil {
		return nil, fault.New("find the service manager", err, "")
	}
	return &Service{manager: m, config: config, name: o.Name}, nil
}

func settings(o Options, config string) *service.Config {
	return &service.Config{
		Name:        o.Name,
		DisplayName: "Tidemark",
		Description: "Keeps a cloud copy of SQL Server tables",
		UserName:    o.User,
		Arguments:   []string{"run", "--config", config},
		Option: service.KeyValue{
			"SystemdScript": unit,
			// One action, repeated: 20 seconds after each failure. A day
			// without one counts as healthy.
			"OnFailure":              "restart",
			"OnFailureDelayDuration": "20s",
			"OnFailureResetPeriod":   24 * 60 * 60,
			"DelayedAutoStart":       true,
		},
	}
}

// Install registers the running program. It is not started.
func (s *Service) Install() error {
	if _, err := os.Stat(s.config); err != nil {
		return fault.New("install the service", err, "name the configuration file with --config")
	}
	return s.done("install the service", s.manager.Install())
}

// Uninstall stops the service and unregisters it. The program, its
// configuration and its state stay.
func (s *Service) Uninstall() error {
	if state, err := s.manager.Status(); err == nil && state == service.StatusRunning {
		if err := s.manager.Stop(); err != nil {
			return s.done("stop the service", err)
		}
	}
	return s.done("uninstall the service", s.manager.Uninstall())
}

// Start starts it.
func (s *Service) Start() error { return s.done("start the service", s.manager.Start()) }

// Stop stops it.
func (s *Service) Stop() error { return s.done("stop the service", s.manager.Stop()) }

// Status is what the service manager says: "running" or "stopped", or
// ErrNotInstalled.
func (s *Service) Status() (string, error) {
	state, err := s.manager.Status()
	if err != nil {
		return "", s.done("ask the service manager", err)
	}
	switch state {
	case service.StatusRunning:
		return "running", nil
	case service.StatusStopped:
		return "stopped", nil
	}
	return "", s.done("ask the service manager", fmt.Errorf("state %d", state))
}

// done adds what to do about an error.
func (s *Service) done(op string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		hint = "`tidemark service install` registers it"
	case runtime.GOOS == "windows":
		hint = "run this in a shell that was opened as administrator"
	case os.Geteuid() != 0:
		hint = "run this as root (sudo)"
	default:
		hint = fmt.Sprintf("`systemctl status %s` and `journalctl -u %s` tell more", s.name, s.name)
	}
	return fault.New(op, err, hint)
}

// idle is what is registered but not run from here.
type idle struct{}

func (idle) Start(service.Service) error { return nil }
func (idle) Stop(service.Service) error  { return nil }
