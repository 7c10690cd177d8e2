package main

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
)

// A paper is a file of an archive.
type paper struct {
	source, name string
	mode         os.FileMode
}

func (r *release) papers(t target, program string) []paper {
	deploy := filepath.Join(r.root, "deploy")
	all := []paper{
		{program, t.program(), 0o755},
		{filepath.Join(r.root, "LICENSE"), "LICENSE", 0o644},
		{filepath.Join(deploy, "tidemark.example.yaml"), "tidemark.example.yaml", 0o644},
		{filepath.Join(deploy, "tidemark.schema.json"), "tidemark.schema.json", 0o644},
		{filepath.Join(r.root, "docs", "install.md"), "install.md", 0o644},
	}
	if t.os == "windows" {
		return append(all, paper{filepath.Join(r.root, "docs", "windows.md"), "windows.md", 0o644})
	}
	return append(all, paper{filepath.Join(deploy, "linux", "tidemark.service"), "tidemark.service", 0o644})
}

// folder is what an archive unpacks to, and its name without an end.
func (r *release) folder(t target) string {
	return "tidemark-" + r.version + "-" + t.os + "-" + t.arch
}

func (r *release) tarball(t target, program string) error {
	return r.tar(r.folder(t), r.papers(t, program))
}

// tar makes an archive that unpacks to one folder.
func (r *release) tar(folder string, papers []paper) (err error) {
	f, err := os.Create(filepath.Join(r.out, folder+".tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	packed, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(packed)
	for _, p := range papers {
		body, err := os.ReadFile(p.source)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: path.Join(folder, p.name), Size: int64(len(body)), Mode: int64(p.mode),
			Uname: "root", Gname: "root", ModTime: r.time,
		}); err != nil {
			return err
		}
		if _, err := w.Write(body); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), packed.Close())
}

func (r *release) zip(t target, program string) (err error) {
	f, err := os.Create(filepath.Join(r.out, r.folder(t)+".zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := zip.NewWriter(f)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	for _, p := range r.papers(t, program) {
		body, err := os.ReadFile(p.source)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: path.Join(r.folder(t), p.name), Method: zip.Deflate, Modified: r.time}
		h.SetMode(p.mode)
		entry, err := w.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := entry.Write(body); err != nil {
			return err
		}
	}
	return w.Close()
}
