package installer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// purgeState removes what the agent keeps in its state directory, and the
// directory when nothing else is in it. A wrong state_dir costs nobody's
// files.
func purgeState(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	left := len(entries)
	for _, e := range entries {
		if name := e.Name(); name == "control.sock" || name == "state.db" || strings.HasPrefix(name, "state.db.") {
			errs = append(errs, os.Remove(filepath.Join(dir, name)))
			left--
		}
	}
	if left == 0 && err == nil {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}
