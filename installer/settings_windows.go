package installer

import (
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// known marks what the manager here has no notion of: not every system that
// runs Windows programs has all of it.
func known(err error) error {
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) || errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED) {
		return errUnknownHere
	}
	return err
}

// Registration implements scm. Package mgr asks for everything at once and
// fails where one is not known, so this asks for each.
func (w *windowsService) Registration() (registration, error) {
	var c *windows.QUERY_SERVICE_CONFIG
	if _, err := sized(func(b *byte, n uint32, needed *uint32) error {
		c = (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(b))
		return windows.QueryServiceConfig(w.s.Handle, c, n, needed)
	}); err != nil {
		return registration{}, err
	}
	r := registration{
		Command: windows.UTF16PtrToString(c.BinaryPathName), Account: windows.UTF16PtrToString(c.ServiceStartName),
		Automatic: c.StartType == mgr.StartAutomatic, DisplayName: windows.UTF16PtrToString(c.DisplayName),
	}
	b, err := w.ask(windows.SERVICE_CONFIG_DESCRIPTION)
	if err != nil {
		return r, err
	}
	r.Description = windows.UTF16PtrToString((*windows.SERVICE_DESCRIPTION)(unsafe.Pointer(&b[0])).Description)
	b, err = w.ask(windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO)
	if errors.Is(known(err), errUnknownHere) {
		r.Delayed = true // there is nothing to set
		return r, nil
	}
	if err != nil {
		return r, err
	}
	r.Delayed = (*windows.SERVICE_DELAYED_AUTO_START_INFO)(unsafe.Pointer(&b[0])).IsDelayedAutoStartUp != 0
	return r, nil
}

// ask asks for one of the further settings.
func (w *windowsService) ask(level uint32) ([]byte, error) {
	return sized(func(b *byte, n uint32, needed *uint32) error {
		return windows.QueryServiceConfig2(w.s.Handle, level, b, n, needed)
	})
}

// sized calls with a buffer that is large enough.
func sized(call func(b *byte, n uint32, needed *uint32) error) ([]byte, error) {
	for n := uint32(1024); ; {
		b := make([]byte, n)
		err := call(&b[0], n, &n)
		if err == nil || !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || n <= uint32(len(b)) {
			return b, err
		}
	}
}

// Register implements scm.
func (w *windowsService) Register(r registration, password string) error {
	var failed error
	text := func(s string) *uint16 { // nil leaves a setting as it is
		if s == "" {
			return nil
		}
		p, err := windows.UTF16PtrFromString(s)
		failed = errors.Join(failed, err)
		return p
	}
	command, account, word, name := text(r.Command), text(r.Account), text(password), text(r.DisplayName)
	description := windows.SERVICE_DESCRIPTION{Description: text(r.Description)}
	if failed != nil {
		return failed
	}
	if err := windows.ChangeServiceConfig(w.s.Handle, windows.SERVICE_NO_CHANGE, windows.SERVICE_AUTO_START, windows.SERVICE_NO_CHANGE,
		command, nil, nil, nil, account, word, name); err != nil {
		return err
	}
	if err := windows.ChangeServiceConfig2(w.s.Handle, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&description))); err != nil {
		return err
	}
	delayed := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	err := known(windows.ChangeServiceConfig2(w.s.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&delayed))))
	if errors.Is(err, errUnknownHere) {
		return nil
	}
	return err
}

func (w *windowsService) Recovery() (r recovery, err error) {
	actions, err := w.s.RecoveryActions()
	if err != nil {
		return r, known(err)
	}
	for _, a := range actions {
		if a.Type == mgr.ServiceRestart {
			r.Restart = append(r.Restart, a.Delay)
		}
	}
	reset, err := w.s.ResetPeriod()
	if err != nil {
		return r, known(err)
	}
	r.Reset = time.Duration(reset) * time.Second
	r.Failed, err = w.s.RecoveryActionsOnNonCrashFailures()
	return r, known(err)
}

func (w *windowsService) Recover(r recovery) error {
	var actions []mgr.RecoveryAction
	for _, after := range r.Restart {
		actions = append(actions, mgr.RecoveryAction{Type: mgr.ServiceRestart, Delay: after})
	}
	return errors.Join(
		known(w.s.SetRecoveryActions(actions, uint32(r.Reset/time.Second))),
		known(w.s.SetRecoveryActionsOnNonCrashFailures(r.Failed)),
	)
}
