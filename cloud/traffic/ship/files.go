package ship

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"tidemark/cloud/traffic/logfile"
	"tidemark/internal/fault"
)

// headBytes are the first bytes of a file, which tell it from another one that
// took its name.
const headBytes = 1 << 10

// List returns the files at paths: a folder's are all in it and below, in
// order of their names, but for hidden ones.
func List(paths []string) ([]string, error) {
	var out []string
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, fault.New("find "+path, err, "")
		}
		err = filepath.WalkDir(absolute, func(at string, d fs.DirEntry, err error) error {
			switch hidden := at != absolute && filepath.Base(at)[0] == '.'; {
			case err != nil:
				return err
			case hidden && d.IsDir():
				return filepath.SkipDir
			case !hidden && (d.Type().IsRegular() || at == absolute && !d.IsDir()):
				out = append(out, at)
			}
			return nil
		})
		if err != nil {
			return nil, fault.New("find "+path, err, "Name files, folders, or - for standard input.")
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// File delivers what the checkpoint does not know to be delivered of a file.
// skipped says that this was nothing.
func (s *Shipper) File(ctx context.Context, c *Checkpoint, path string) (stats Stats, skipped bool, err error) {
	op := "ship " + path
	f, err := os.Open(path)
	if err != nil {
		return stats, false, fault.New(op, err, "")
	}
	defer func() { _ = f.Close() }() // it was only read
	mark, size, err := markOf(f, c.Get(path))
	if err != nil {
		return stats, false, fault.New(op, err, "")
	}
	if mark.Done && mark.Size == size {
		return stats, true, nil
	}
	mark.Done = false
	r, err := logfile.NewReader(f)
	if err == nil {
		var saving error
		stats, err = s.Log(ctx, path, r, mark.Position, func(p Position) {
			mark.Position = p
			saving = errors.Join(saving, c.Put(path, mark))
		})
		err = errors.Join(err, saving)
	}
	if err != nil {
		return stats, false, fault.New(op, errors.Join(err, c.Put(path, mark), c.Save()), "")
	}
	mark.Done, mark.Size = true, size
	return stats, false, fault.New(op, c.Put(path, mark), "")
}

// markOf returns the mark to go on from: the one known, if this is the file
// that it is of.
func markOf(f *os.File, known Mark) (Mark, int64, error) {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Mark{}, 0, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Mark{}, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return Mark{}, 0, err
	}
	same := headOf(head[:n])
	if known.Head != "" && (known.Head == same || known.Size > 0 && known.Size < headBytes && int(known.Size) <= n && known.Head == headOf(head[:known.Size])) {
		known.Head = same // a file that was short may have grown
		if info.Size() >= known.Size {
			return known, info.Size(), nil
		}
	}
	return Mark{Head: same}, info.Size(), nil
}

func headOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}
