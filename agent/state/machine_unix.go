//go:build !windows

package state

import (
	"os"
	"strings"
)

// MachineID returns what tells this machine from others: /etc/machine-id
// (machine-id(5)), or "" where there is none.
func MachineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if b, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return ""
}
