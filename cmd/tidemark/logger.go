package main

import (
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tidemark/agent/config"
	"tidemark/internal/fault"
)

// newLogger makes the log that the configuration asks for, on out where it
// names no file. The function it returns flushes and closes it.
func newLogger(c config.Log, out io.Writer) (*zap.Logger, func(), error) {
	level, err := zapcore.ParseLevel(c.Level)
	if err != nil {
		return nil, nil, err
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if c.Format == "text" {
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	sink, closeIt := zapcore.AddSync(out), func() {}
	if c.File != "" {
		f, err := openLogFile(c.File, int64(c.MaxSize), c.Keep, c.MaxAge)
		if err != nil {
			return nil, nil, fault.New("open the log", err, "log.file in the configuration names a file that the service's account can write")
		}
		sink, closeIt = f, func() { _ = f.Close() }
	}
	// What goes wrong with the log itself has only one place left to go to.
	log := zap.New(zapcore.NewCore(encoder, zapcore.Lock(sink), level), zap.ErrorOutput(zapcore.Lock(zapcore.AddSync(os.Stderr))))
	return log, func() {
		if err := log.Sync(); err != nil && c.File != "" {
			_, _ = fmt.Fprintf(os.Stderr, "tidemark: write the log: %s\n", err)
		}
		closeIt()
	}, nil
}
