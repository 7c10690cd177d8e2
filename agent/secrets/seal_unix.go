//go:build !windows

package secrets

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// The file's mode is what protects it: a key to seal it with would have to
// lie beside it.
func seal(_ string, plain []byte) ([]byte, error)    { return plain, nil }
func unseal(_ string, sealed []byte) ([]byte, error) { return sealed, nil }

// closeDir lets only its owner into a new directory.
func closeDir(dir, like string) error {
	if err := os.Chmod(dir, 0o700); err != nil || like == "" {
		return err
	}
	return ownLike(dir, like)
}

// ownLike gives path to the owner of like, where root acts; others keep what
// they make.
func ownLike(path, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}
