package config

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

// DefaultPath returns where the configuration file is when nobody says
// otherwise.
func DefaultPath() string { return filepath.Join(programData(), "Tidemark", "tidemark.yaml") }

// DefaultStateDir returns where the agent keeps its state when the file does
// not say otherwise.
func DefaultStateDir() string { return filepath.Join(programData(), "Tidemark", "state") }

// DefaultLogFile returns where the log goes when the file does not say
// otherwise: a service has nobody who reads its standard error.
func DefaultLogFile() string {
	return filepath.Join(programData(), "Tidemark", "log", "tidemark.log")
}

// programData is asked of Windows and not of the environment, which need not be
// the same for a service and a shell: a service would have another state.
func programData() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT); err == nil {
		return dir
	}
	return `C:\ProgramData`
}
