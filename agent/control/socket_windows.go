package control

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// The socket has a directory of its own, so that the rights of the state
// directory need not be changed.
func socketDir(stateDir string) string { return filepath.Join(stateDir, "control") }

// prepareDir makes the directory and leaves it to the system (SY),
// administrators (BA) and its owner (OW), with nothing inherited.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)")
	if err != nil {
		return err
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
}

// protect has nothing to do: the directory's rights are inherited.
func protect(string) error { return nil }

func refusedByWindows(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || noSockets(err)
}

// noSockets tells of a Windows older than Server 2019, or of Wine.
func noSockets(err error) bool { return errors.Is(err, windows.WSAEAFNOSUPPORT) }
