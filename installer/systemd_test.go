//go:build !windows

package installer

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeMachine is a machine with systemd in a directory.
type fakeMachine struct {
	systemd
	ran []string
}

func newMachine(t *testing.T, o Options) *fakeMachine {
	t.Helper()
	root := t.TempDir()
	o.Name, o.Config = "tidemark", filepath.Join(root, "tidemark.yaml")
	if err := os.WriteFile(o.Config, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"etc/systemd/system", "usr/lib/systemd/system"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := &fakeMachine{}
	m.systemd = systemd{
		options: o, user: account(o), program: "/usr/bin/tidemark", root: root,
		run: func(name string, args ...string) error {
			m.ran = append(m.ran, strings.Join(append([]string{name}, args...), " "))
			return nil
		},
		group: func(string) (int, int, error) { return os.Getuid(), os.Getgid(), nil },
	}
	return m
}

// create is what kardianos/service does.
func (m *fakeMachine) create() error {
	m.ran = append(m.ran, "create")
	f, err := os.OpenFile(m.writtenUnit(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(unit(m.options, m.user, m.program).String()); err != nil {
		return err
	}
	return f.Close()
}

func (m *fakeMachine) registers(t *testing.T, changed, ran []string) {
	t.Helper()
	m.ran = nil
	got, err := m.register(m.create)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed, got); diff != "" {
		t.Errorf("changed (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(ran, m.ran); diff != "" {
		t.Errorf("ran (-want +got)\n%s", diff)
	}
}

const enable = "systemctl enable --quiet tidemark.service"

func TestRegister(t *testing.T) {
	state := filepath.Join(t.TempDir(), "srv", "state")
	m := newMachine(t, Options{State: state})
	m.registers(t, []string{"gave " + state + " to tidemark", "wrote the unit"}, []string{"create"})
	m.registers(t, nil, []string{enable})
	if err := os.WriteFile(m.writtenUnit(), []byte("[Service]\nExecStart=/bin/old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m.registers(t, []string{"wrote the unit"}, []string{"create"})
	m.registers(t, nil, []string{enable})

	m.ran = nil
	if err := m.unregister(func() error { m.ran = append(m.ran, "remove"); return nil }); err != nil || len(m.ran) != 1 || m.ran[0] != "remove" {
		t.Errorf("%v, %v", m.ran, err)
	}
}

// A package's unit is not written a second time, nor removed.
func TestRegisterWhatAPackageBrought(t *testing.T) {
	m := newMachine(t, Options{State: defaultState})
	if err := os.WriteFile(m.packagedUnit(), []byte(unit(m.options, m.user, m.program).String()), 0o644); err != nil {
		t.Fatal(err)
	}
	m.registers(t, nil, []string{enable})
	m.ran = nil
	if err := m.unregister(func() error { t.Error("removed"); return nil }); err != nil || m.ran[0] != "systemctl disable --quiet tidemark.service" {
		t.Errorf("%v, %v", m.ran, err)
	}
	m.user = "somebody" // which the package's is not for
	m.registers(t, []string{"wrote the unit"}, []string{"create"})
}

func TestRegisterMakesItsAccount(t *testing.T) {
	m := newMachine(t, Options{})
	known := m.group
	m.group = func(name string) (int, int, error) {
		if len(m.ran) == 0 {
			return 0, 0, user.UnknownUserError(name)
		}
		return known(name)
	}
	m.registers(t, []string{"made the account tidemark", "wrote the unit"}, []string{
		"useradd --system --user-group --home-dir /var/lib/tidemark --no-create-home --shell /usr/sbin/nologin --comment Tidemark agent tidemark", "create",
	})

	other := newMachine(t, Options{User: "ann"})
	other.group = func(name string) (int, int, error) { return 0, 0, user.UnknownUserError(name) }
	if _, err := other.register(other.create); err == nil || len(other.ran) > 0 {
		t.Errorf("an account that somebody named was made: %v, %v", other.ran, err)
	}
}
