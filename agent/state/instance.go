package state

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
)

// Instance returns the id of an installation: 32 hexadecimal digits that are
// the same for the same machine and state directory, so that an agent that
// lost its state is still the writer that the cloud knows.
func Instance(host, machine, dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	sum := sha256.Sum256([]byte("tidemark instance\x00" + strings.ToLower(host) + "\x00" + machine + "\x00" + dir))
	return hex.EncodeToString(sum[:16])
}
