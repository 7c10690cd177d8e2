package installer

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeSCM is a service of Windows.
type fakeSCM struct {
	registration registration
	recovery     recovery
	password     string
	source       bool
	granted      string
	calls        []string
	refuse       string
}

var errRefused = errors.New("refused")

func (f *fakeSCM) call(what string) error {
	f.calls = append(f.calls, what)
	if what == f.refuse {
		return errRefused
	}
	return nil
}

func (f *fakeSCM) Registration() (registration, error) { return f.registration, nil }
func (f *fakeSCM) Recovery() (recovery, error)         { return f.recovery, nil }

func (f *fakeSCM) Register(r registration, password string) error {
	if err := f.call("register"); err != nil {
		return err
	}
	if r.Account == "" {
		r.Account = f.registration.Account
	}
	f.registration, f.password = r, password
	return nil
}

func (f *fakeSCM) Recover(r recovery) error {
	if err := f.call("recover"); err != nil {
		return err
	}
	f.recovery = r
	return nil
}

func (f *fakeSCM) EventSource() (bool, error) {
	was := f.source
	f.source = true
	return !was, nil
}

func (f *fakeSCM) Grant(account string, _ []folder) (bool, error) {
	was := f.granted
	f.granted = account
	return was != account, nil
}

var wantedRegistration = registration{
	Command: `"C:\Program Files\Tidemark\tidemark.exe" run --config C:\ProgramData\Tidemark\tidemark.yaml`, Automatic: true, Delayed: true,
	DisplayName: "Tidemark", Description: "Keeps a cloud copy of SQL Server tables",
}

// As an installer's tables and kardianos/service leave it.
func TestRepair(t *testing.T) {
	installed := wantedRegistration
	installed.Account, installed.Delayed = "LocalSystem", false
	f := &fakeSCM{registration: installed, recovery: recovery{Restart: []time.Duration{20 * time.Second}, Reset: 10 * time.Second}}
	changed, err := repair(f, wantedRegistration, `NT SERVICE\tidemark`, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"set account, start", "set the recovery", "made the event source", `let NT SERVICE\tidemark at its folders`,
	}, changed); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	after := wantedRegistration
	after.Account = `NT SERVICE\tidemark`
	if diff := cmp.Diff(after, f.registration); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(recovery{
		Restart: []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute}, Reset: 24 * time.Hour, Failed: true,
	}, f.recovery); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	f.calls = nil
	if changed, err := repair(f, wantedRegistration, `NT SERVICE\tidemark`, "", nil); err != nil || len(changed)+len(f.calls) > 0 {
		t.Errorf("again: %v, %v, %v", changed, f.calls, err)
	}
}

func TestRepairAccounts(t *testing.T) {
	for _, test := range []struct {
		name, is, asked, password string
		want                      string
		registered                bool
	}{
		{"nobody chose", "LocalSystem", "", "", `NT SERVICE\tidemark`, true},
		{"somebody chose", `EXAMPLE\svc`, "", "", `EXAMPLE\svc`, false},
		{"a group managed account was chosen", `EXAMPLE\tidemark$`, "", "", `EXAMPLE\tidemark$`, false},
		{"another is asked for", `EXAMPLE\svc`, `EXAMPLE\tidemark$`, "", `EXAMPLE\tidemark$`, true},
		{"the same, with a new password", `EXAMPLE\svc`, `example\SVC`, "secret", `EXAMPLE\svc`, true},
		{"the system is asked for", `NT SERVICE\tidemark`, "LocalSystem", "", "LocalSystem", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			is, want := wantedRegistration, wantedRegistration
			is.Account, want.Account = test.is, test.asked
			f := &fakeSCM{registration: is, recovery: wantedRecovery, source: true}
			if _, err := repair(f, want, `NT SERVICE\tidemark`, test.password, nil); err != nil {
				t.Fatal(err)
			}
			if f.registration.Account != test.want || f.password != test.password || (len(f.calls) > 0) != test.registered || !strings.EqualFold(f.granted, test.want) {
				t.Errorf("account %q, password %q, calls %v, granted to %q", f.registration.Account, f.password, f.calls, f.granted)
			}
		})
	}
}

// One refusal does not keep the rest from being mended.
func TestRepairGoesOn(t *testing.T) {
	f := &fakeSCM{registration: registration{Account: "LocalSystem"}, refuse: "register"}
	changed, err := repair(f, wantedRegistration, `NT SERVICE\tidemark`, "", nil)
	if !errors.Is(err, errRefused) || len(changed) != 3 || !f.recovery.equal(wantedRecovery) {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestHasPassword(t *testing.T) {
	for account, want := range map[string]bool{
		"": false, "LocalSystem": false, `NT AUTHORITY\SYSTEM`: false, `NT AUTHORITY\NetworkService`: false, `NT SERVICE\tidemark`: false,
		`EXAMPLE\tidemark$`: false, `EXAMPLE\svc`: true, `.\svc`: true, "svc@example.com": true,
	} {
		if got := hasPassword(account); got != want {
			t.Errorf("%s: %t", account, got)
		}
	}
}

// The identifier that every Windows has by name.
func TestServiceSID(t *testing.T) {
	if got := serviceSID("TrustedInstaller"); got != "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464" {
		t.Error(got)
	}
	if serviceSID("Tidemark") != serviceSID("tidemark") {
		t.Error("the case of the name counts")
	}
}

func TestAccess(t *testing.T) {
	for write, want := range map[bool]string{
		true:  "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;S-1-5-80-1)",
		false: "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;S-1-5-80-1)",
	} {
		if got := access("S-1-5-80-1", folder{write: write}); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

// Only folders of ours are closed to others.
func TestOurs(t *testing.T) {
	for path, want := range map[string]bool{
		`C:\ProgramData\Tidemark`: true, `c:\programdata\tidemark\state`: true, `C:/ProgramData/Tidemark/logs`: true,
		`C:\ProgramData`: false, `C:\ProgramData\TidemarkToo`: false, `C:\Users\ann`: false, `D:\`: false, ``: false,
	} {
		if got := (folder{path: path}).ours(`C:\ProgramData`); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
	if !(folder{path: `D:\keys`, closed: true}).ours(`C:\ProgramData`) {
		t.Error("a folder of secrets is open to others")
	}
	if (folder{path: `C:\ProgramData\Tidemark`}).ours("") {
		t.Error("without ProgramData")
	}
}
