package installer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kardianos/service"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeManager is a service manager that remembers what it was asked to do.
type fakeManager struct {
	state  service.Status
	err    error // of Status
	asked  []string
	refuse map[string]error
}

func (m *fakeManager) do(what string, then service.Status) error {
	m.asked = append(m.asked, what)
	if err := m.refuse[what]; err != nil {
		return err
	}
	m.state, m.err = then, nil
	return nil
}

func (m *fakeManager) Install() error   { return m.do("install", service.StatusStopped) }
func (m *fakeManager) Start() error     { return m.do("start", service.StatusRunning) }
func (m *fakeManager) Stop() error      { return m.do("stop", service.StatusStopped) }
func (m *fakeManager) Uninstall() error { return m.do("uninstall", service.StatusUnknown) }

func (m *fakeManager) Status() (service.Status, error) { return m.state, m.err }

// plainSystem adds nothing to what the manager does.
type plainSystem struct{}

func (plainSystem) register(create func() error) ([]string, error) {
	return []string{"registered it"}, create()
}
func (plainSystem) unregister(remove func() error) error              { return remove() }
func (plainSystem) start(_ context.Context, start func() error) error { return start() }
func (plainSystem) stop(stop func() error) error                      { return stop() }

func newFake(t *testing.T, m *fakeManager) *Service {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "tidemark.yaml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return &Service{options: Options{Name: "tidemark", Config: config, State: filepath.Join(dir, "state")}, manager: m, system: plainSystem{}}
}

// What is asked of the manager, from each state that a service may be in.
func TestWhatTheManagerIsAsked(t *testing.T) {
	start := func(s *Service) error { return s.Start(t.Context()) }
	stop := func(s *Service) error { return s.Stop(t.Context()) }
	restart := func(s *Service) error { return s.Restart(t.Context()) }
	uninstall := func(s *Service) error { _, err := s.Uninstall(false); return err }
	repair := func(s *Service) error { _, err := s.Repair(false); return err }
	register := func(s *Service) error { _, err := s.Repair(true); return err }
	failing := errors.New("service in failed state")
	for _, test := range []struct {
		name  string
		do    func(*Service) error
		state service.Status
		err   error
		want  string
	}{
		{"start", start, service.StatusStopped, nil, "start"},
		{"start what runs", start, service.StatusRunning, nil, ""},
		{"start what failed", start, service.StatusUnknown, failing, "start"},
		{"stop", stop, service.StatusRunning, nil, "stop"},
		{"stop what does not run", stop, service.StatusStopped, nil, ""},
		{"stop what fails again and again", stop, service.StatusUnknown, failing, "stop"},
		{"restart", restart, service.StatusRunning, nil, "stop start"},
		{"restart what does not run", restart, service.StatusStopped, nil, "start"},
		{"uninstall what runs", uninstall, service.StatusRunning, nil, "stop uninstall"},
		{"uninstall what does not run", uninstall, service.StatusStopped, nil, "uninstall"},
		{"uninstall what fails again and again", uninstall, service.StatusUnknown, failing, "stop uninstall"},
		{"uninstall what is not there", uninstall, service.StatusUnknown, service.ErrNotInstalled, ""},
		{"repair what is not there", repair, service.StatusUnknown, service.ErrNotInstalled, ""},
		{"register what is not there", register, service.StatusUnknown, service.ErrNotInstalled, "install"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &fakeManager{state: test.state, err: test.err}
			err := test.do(newFake(t, m))
			if got := strings.Join(m.asked, " "); got != test.want {
				t.Errorf("asked: %q, not %q", got, test.want)
			}
			if wrong := strings.HasPrefix(test.name, "repair"); errors.Is(err, ErrNotInstalled) != wrong || !wrong && err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestUninstallThatCannotStop(t *testing.T) {
	refused := errors.New("refused")
	m := &fakeManager{state: service.StatusRunning, refuse: map[string]error{"stop": refused}}
	if _, err := newFake(t, m).Uninstall(false); !errors.Is(err, refused) || len(m.asked) != 1 {
		t.Errorf("%v after %v", err, m.asked)
	}
}

func TestInstallNeedsAConfiguration(t *testing.T) {
	s := newFake(t, &fakeManager{err: service.ErrNotInstalled})
	if changed, err := s.Install(); err != nil || len(changed) != 1 {
		t.Errorf("%v, %v", changed, err)
	}
	s.options.Config += ".not"
	if _, err := s.Install(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// A purge takes what the agent wrote, and nobody else's files.
func TestPurge(t *testing.T) {
	for _, test := range []struct {
		name        string
		purge       bool
		files, left []string
	}{
		{"without", false, []string{"state.db"}, []string{"state.db"}},
		{"alone", true, []string{"state.db", "state.db.damaged-20260102T150405.000", "control.sock"}, nil},
		{"others'", true, []string{"state.db", "payroll.xls", "state.dbx"}, []string{"payroll.xls", "state.dbx"}},
		{"nothing there", true, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newFake(t, &fakeManager{state: service.StatusStopped})
			for _, name := range test.files {
				if err := os.MkdirAll(s.options.State, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(s.options.State, name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if there, err := s.Uninstall(test.purge); err != nil || !there {
				t.Fatalf("%t, %v", there, err)
			}
			var left []string
			entries, err := os.ReadDir(s.options.State)
			for _, e := range entries {
				left = append(left, e.Name())
			}
			if diff := cmp.Diff(test.left, left); diff != "" || (err == nil) != (test.left != nil) {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	c := settings(Options{Name: "tidemark", Config: "/etc/tidemark/tidemark.yaml", User: "tm"}, "/opt/tidemark")
	if got := strings.Join(c.Arguments, " "); got != "run --config /etc/tidemark/tidemark.yaml" || c.UserName != "tm" || c.Executable != "/opt/tidemark" {
		t.Errorf("%q, %q, %q", got, c.UserName, c.Executable)
	}
	if script, _ := c.Option["SystemdScript"].(string); !strings.Contains(script, "ExecStart=/opt/tidemark run --config /etc/tidemark/tidemark.yaml\n") {
		t.Errorf("%s", script)
	}
}

func TestNoManager(t *testing.T) {
	if p := service.Platform(); p == "linux-systemd" || p == "windows-service" {
		t.Skip("a service manager is here")
	}
	if _, err := New(Options{Config: "x"}); !errors.Is(err, ErrNoManager) {
		t.Errorf("%v", err)
	}
}
