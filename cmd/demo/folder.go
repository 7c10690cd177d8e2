package main

import (
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tidemark/internal/fault"
)

// openFolder makes the folder for state, logs and the cloud's file. Remove
// takes it away again, unless it is to be kept.
func openFolder(keep string) (dir string, remove func() error, err error) {
	if keep == "" {
		dir, err = os.MkdirTemp("", "tidemark-demo-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	const op = "keep the files"
	if err := os.MkdirAll(keep, 0o700); err != nil {
		return "", nil, fault.New(op, err, "")
	}
	found, err := os.ReadDir(keep)
	if err != nil {
		return "", nil, fault.New(op, err, "")
	}
	if len(found) > 0 {
		return "", nil, fault.New(op, fmt.Errorf("%s is not empty", keep), "the database of each run is a new one: name a new folder")
	}
	return keep, func() error { return nil }, nil
}

// openLog makes a logger into a file of the folder.
func openLog(dir, name string) (*zap.Logger, *os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	c := zap.NewProductionEncoderConfig()
	c.EncodeTime = zapcore.ISO8601TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(c), zapcore.Lock(f), zap.InfoLevel)), f, nil
}
