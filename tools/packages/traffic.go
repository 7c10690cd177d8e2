package main

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// traffic makes, for Linux, an archive of tidemark-traffic and the zip of its
// Lambda function, whose program has to be called bootstrap ("Building Lambda
// functions with Go" in the developer guide).
func (r *release) traffic(ctx context.Context, t target, work string) error {
	if t.os != "linux" {
		return nil
	}
	if r.kinds["tar.gz"] {
		program := filepath.Join(work, t.os+"-"+t.arch, "tidemark-traffic")
		if err := r.goBuild(ctx, t, "./cmd/tidemark-traffic", program); err != nil {
			return err
		}
		papers := []paper{
			{program, "tidemark-traffic", 0o755},
			{filepath.Join(r.root, "LICENSE"), "LICENSE", 0o644},
			{filepath.Join(r.root, "docs", "traffic.md"), "traffic.md", 0o644},
		}
		if err := r.tar(strings.Replace(r.folder(t), "tidemark-", "tidemark-traffic-", 1), papers); err != nil {
			return err
		}
		if err := r.bom(t, program); err != nil {
			return err
		}
	}
	if !r.kinds["zip"] {
		return nil
	}
	function := filepath.Join(work, t.os+"-"+t.arch, "tidemark-traffic-lambda")
	if err := r.goBuild(ctx, t, "./cmd/tidemark-traffic/lambda", function); err != nil {
		return err
	}
	return errors.Join(r.lambda(t, function), r.bom(t, function))
}

func (r *release) lambda(t target, function string) (err error) {
	body, err := os.ReadFile(function)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(r.out, "tidemark-traffic-lambda-"+t.arch+".zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := zip.NewWriter(f)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: r.time}
	h.SetMode(0o755)
	entry, err := w.CreateHeader(h)
	if err != nil {
		return err
	}
	if _, err := entry.Write(body); err != nil {
		return err
	}
	return w.Close()
}
