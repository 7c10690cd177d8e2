//go:build !windows

package control

import "os"

func socketDir(stateDir string) string { return stateDir }

func prepareDir(dir string) error {
	_, err := os.Stat(dir)
	return err
}

// protect leaves the socket to its owner and its group.
func protect(path string) error { return os.Chmod(path, 0o660) }

func refusedByWindows(error) bool { return false }
