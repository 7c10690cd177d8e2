package config

import (
	"bytes"
	"os"
	"path/filepath"
)

// StateDirOf returns the state directory that a file with mistakes names, so
// that the service, which goes on with the file before, can be asked. It is
// the default one where the file does not tell.
func StateDirOf(path string) string {
	text, err := os.ReadFile(path)
	dir, absErr := filepath.Abs(filepath.Dir(path))
	if err != nil || absErr != nil || len(text) > maxFile {
		return DefaultStateDir()
	}
	d := newDecoder(path, dir, text)
	root, problem := d.parse(text)
	if problem != nil { // no YAML: the line alone may be
		text = lineOf(text, "state_dir:")
		d = newDecoder(path, dir, text)
		if root, problem = d.parse(text); problem != nil {
			return DefaultStateDir()
		}
	}
	return d.config(root).StateDir
}

// lineOf returns the line of a text that begins with head.
func lineOf(text []byte, head string) []byte {
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(head)) {
			return line
		}
	}
	return nil
}
