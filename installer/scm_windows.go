package installer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"tidemark/internal/fault"
)

// windowsSystem is the part of a registration that kardianos/service does not
// do.
type windowsSystem struct {
	options Options
	program string
}

func newSystem(o Options, program string) system { return &windowsSystem{options: o, program: program} }

// account is who a service is made for.
func account(o Options) string {
	if o.User == "" {
		return virtualAccount(o.Name)
	}
	return o.User
}

// virtualAccount is a service's own account.
func virtualAccount(service string) string { return `NT SERVICE\` + service }

// command is the command line that the manager starts.
func (w *windowsSystem) command() string {
	return windows.ComposeCommandLine([]string{w.program, "run", "--config", w.options.Config})
}

// folders are those that the service needs, the configuration's first.
func (w *windowsSystem) folders() []folder {
	all := []folder{{path: filepath.Dir(w.options.Config)}}
	if w.options.Secrets != "" {
		all = append(all, folder{path: w.options.Secrets, closed: true})
	}
	for _, dir := range append([]string{w.options.State}, w.options.Writable...) {
		if dir != "" {
			all = append(all, folder{path: dir, write: true})
		}
	}
	return all
}

func (w *windowsSystem) register(create func() error) ([]string, error) {
	m, err := mgr.Connect()
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.Disconnect() }()
	var changed []string
	s, err := m.OpenService(w.options.Name)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		if err := create(); err != nil {
			return nil, err
		}
		changed = append(changed, "registered it")
		s, err = m.OpenService(w.options.Name)
	}
	if err != nil {
		return changed, err
	}
	defer func() { _ = s.Close() }()
	want := registration{
		Command: w.command(), Account: w.options.User, Automatic: true, Delayed: true,
		DisplayName: "Tidemark", Description: "Keeps a cloud copy of SQL Server tables",
	}
	more, err := repair(&windowsService{s}, want, virtualAccount(w.options.Name), w.options.Password, w.folders())
	return append(changed, more...), err
}

func (w *windowsSystem) unregister(remove func() error) error {
	err := remove()
	switch {
	case err == nil, errors.Is(err, windows.ERROR_SERVICE_MARKED_FOR_DELETE):
		return nil // it goes when the last who looks at it looks away
	case strings.Contains(err.Error(), "is not installed"), strings.Contains(err.Error(), "RemoveEventLogSource"):
		return nil // gone meanwhile, or its event source was gone before
	}
	return err
}

// startTime is how long a service may take until it does what it is for.
const startTime = time.Minute

// start implements system. The manager may be busy for a moment, after the
// machine has started, and answers before the service has; so this asks until
// it runs or has ended.
func (w *windowsSystem) start(ctx context.Context, start func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	err := start()
	for errors.Is(err, windows.ERROR_SERVICE_DATABASE_LOCKED) && wait(ctx) {
		err = start()
	}
	if err != nil {
		return err
	}
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(w.options.Name)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for {
		is, err := s.Query()
		switch {
		case err != nil || is.State == svc.Running:
			return err
		case is.State == svc.Stopped:
			return fault.New("wait for the service", ErrEnded, "`tidemark config check` and the event log (Application, source "+w.options.Name+") tell why")
		case !wait(ctx):
			return fault.New("wait for the service", ctx.Err(), "the event log (Application, source "+w.options.Name+") may tell why")
		}
	}
}

// stop implements system. The manager takes a service for stopped a moment
// before its process is gone, and until then its program can be neither
// replaced nor removed.
func (w *windowsSystem) stop(stop func() error) error {
	process := w.process()
	if err := stop(); err != nil || process == 0 {
		return err
	}
	_, err := windows.WaitForSingleObject(process, uint32(StopTime/time.Millisecond))
	return errors.Join(err, windows.CloseHandle(process))
}

// process is the process of the service, to wait for, or 0 where there is none
// or none that may be waited for.
func (w *windowsSystem) process() windows.Handle {
	m, err := mgr.Connect()
	if err != nil {
		return 0
	}
	defer func() { _ = m.Disconnect() }()
	s, err := m.OpenService(w.options.Name)
	if err != nil {
		return 0
	}
	defer func() { _ = s.Close() }()
	is, err := s.Query()
	if err != nil || is.ProcessId == 0 {
		return 0
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, is.ProcessId)
	if err != nil {
		return 0
	}
	return process
}

// wait waits a moment; false when ctx has ended.
func wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(200 * time.Millisecond):
		return true
	}
}

// windowsService implements scm.
type windowsService struct{ s *mgr.Service }

func (w *windowsService) EventSource() (bool, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\EventLog\Application\`+w.s.Name, registry.QUERY_VALUE)
	if err == nil {
		return false, k.Close()
	}
	return true, eventlog.InstallAsEventCreate(w.s.Name, eventlog.Error|eventlog.Warning|eventlog.Info)
}

func (w *windowsService) Grant(account string, folders []folder) (changed bool, err error) {
	sid, err := w.sid(account)
	if err != nil {
		return false, fmt.Errorf("find the account %s: %w", account, err)
	}
	if hasPassword(account) || strings.HasSuffix(account, "$") {
		if err := allowLogon(sid); err != nil {
			return false, fmt.Errorf("let %s log on as a service: %w", account, err)
		}
	}
	for _, f := range folders {
		did, failed := grant(f, sid)
		changed = changed || did
		err = errors.Join(err, failed)
	}
	return changed, err
}

// sid finds an account. A virtual one is computed: it exists from the moment
// that the service does, but not everywhere by name.
func (w *windowsService) sid(account string) (*windows.SID, error) {
	if strings.EqualFold(account, virtualAccount(w.s.Name)) {
		return windows.StringToSid(serviceSID(w.s.Name))
	}
	if isLocalSystem(account) {
		return windows.CreateWellKnownSid(windows.WinLocalSystemSid)
	}
	sid, _, _, err := windows.LookupSID("", strings.TrimPrefix(account, `.\`))
	return sid, err
}

// grant makes a folder and lets the account at it. A folder of ours, and one of
// secrets, is closed to everybody else; to another one the account is only
// added.
func grant(f folder, sid *windows.SID) (bool, error) {
	if err := os.MkdirAll(f.path, 0o750); err != nil {
		return false, err
	}
	is, err := windows.GetNamedSecurityInfo(f.path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return false, err
	}
	if !f.ours(os.Getenv("ProgramData")) {
		if strings.Contains(is.String(), sid.String()) {
			return false, nil
		}
		return true, add(f, sid, is)
	}
	want, err := windows.SecurityDescriptorFromString(access(sid.String(), f))
	if err != nil {
		return false, err
	}
	if is.String() == want.String() {
		return false, nil
	}
	list, _, err := want.DACL()
	if err != nil {
		return false, err
	}
	return true, windows.SetNamedSecurityInfo(f.path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

// add adds an account to the access list of a folder.
func add(f folder, sid *windows.SID, is *windows.SECURITY_DESCRIPTOR) error {
	old, _, err := is.DACL()
	if err != nil {
		return err
	}
	list, err := windows.ACLFromEntries([]windows.EXPLICIT_ACCESS{{
		AccessPermissions: windows.ACCESS_MASK(f.rights()), AccessMode: windows.GRANT_ACCESS,
		Inheritance: windows.SUB_CONTAINERS_AND_OBJECTS_INHERIT,
		Trustee:     windows.TRUSTEE{TrusteeForm: windows.TRUSTEE_IS_SID, TrusteeType: windows.TRUSTEE_IS_UNKNOWN, TrusteeValue: windows.TrusteeValueFromSID(sid)},
	}}, old)
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(f.path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}
