//go:build unix

package trust_test

import (
	"io/fs"
	"path/filepath"
	"strings"
)

// rights holds the agent's files against who may read them: its account alone,
// but for the log, which is its group's too, and the socket, where the service
// asks who is there.
func (d *drama) rights() {
	d.t.Helper()
	seen := 0
	for _, root := range []string{"state", "conf/secrets", "log", "well.zip"} {
		err := filepath.WalkDir(d.path(root), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			seen++
			most := fs.FileMode(0o600)
			switch {
			case root == "log" && e.IsDir():
				most = 0o750
			case root == "log":
				most = 0o640
			case e.IsDir():
				most = 0o700
			case e.Type() == fs.ModeSocket && strings.HasSuffix(path, ".sock"):
				most = 0o660
			}
			if more := info.Mode().Perm() &^ most; more != 0 {
				d.t.Errorf("%s: %v, at most %v is right", path, info.Mode(), most)
			}
			return nil
		})
		if err != nil {
			d.t.Error(err)
		}
	}
	if seen < 9 {
		d.t.Errorf("%d files", seen)
	}
}
