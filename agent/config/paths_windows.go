package config

import (
	"os"
	"path/filepath"
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

func programData() string {
	if dir := os.Getenv("ProgramData"); dir != "" {
		return dir
	}
	return `C:\ProgramData`
}
