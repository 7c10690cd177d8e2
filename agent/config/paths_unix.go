//go:build !windows

package config

// DefaultPath returns where the configuration file is when nobody says
// otherwise.
func DefaultPath() string { return "/etc/tidemark/tidemark.yaml" }

// DefaultStateDir returns where the agent keeps its state when the file does
// not say otherwise.
func DefaultStateDir() string { return "/var/lib/tidemark" }

// DefaultLogFile returns where the log goes when the file does not say
// otherwise: "" is standard error, which the service manager keeps.
func DefaultLogFile() string { return "" }
