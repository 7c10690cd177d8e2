package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tidemark/agent/config"
	"tidemark/internal/fault"
)

// newLogger makes the log that the configuration asks for, on out where it
// names no file. The function it returns flushes and closes it.
func newLogger(c config.Log, out io.Writer) (*zap.Logger, func(), error) {
	l, err := openServiceLog(c, out)
	if err != nil {
		return nil, nil, err
	}
	return l.Logger, l.close, nil
}

// A serviceLog is a log that can go on as another configuration says: with
// another level, in another form, in another file. All loggers made of it
// follow.
type serviceLog struct {
	*zap.Logger
	out io.Writer

	mu   sync.RWMutex // held for reading while an entry is written
	conf config.Log
	core zapcore.Core
	file *logFile // nil: out
}

func openServiceLog(c config.Log, out io.Writer) (*serviceLog, error) {
	l := &serviceLog{out: out}
	next, err := l.prepare(c)
	if err != nil {
		return nil, err
	}
	l.become(next)
	// What goes wrong with the log itself has only one place left to go to.
	l.Logger = zap.New(followingCore{log: l}, zap.ErrorOutput(zapcore.Lock(zapcore.AddSync(os.Stderr))))
	return l, nil
}

// A nextLog is what a log is about to become.
type nextLog struct {
	conf    config.Log
	level   zapcore.Level
	encoder zapcore.Encoder
	file    *logFile // opened for it; nil: out, or the file that is open
}

// prepare finds out whether the log can become what c says. Nothing has
// changed until become; drop takes it back.
func (l *serviceLog) prepare(c config.Log) (*nextLog, error) {
	n := &nextLog{conf: c}
	var err error
	if n.level, err = zapcore.ParseLevel(c.Level); err != nil {
		return nil, err
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	n.encoder = zapcore.NewJSONEncoder(encoding)
	if c.Format == "text" {
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		n.encoder = zapcore.NewConsoleEncoder(encoding)
	}
	l.mu.RLock()
	same := l.file != nil && l.conf.File == c.File
	l.mu.RUnlock()
	if c.File != "" && !same {
		if n.file, err = openLogFile(c.File, int64(c.MaxSize), c.Keep, c.MaxAge); err != nil {
			return nil, fault.New("open the log", err, "log.file in the configuration names a file that the service's account can write")
		}
	}
	return n, nil
}

func (n *nextLog) drop() {
	if n != nil && n.file != nil {
		_ = n.file.Close()
	}
}

// become has the log go on as it was prepared.
func (l *serviceLog) become(n *nextLog) {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	switch {
	case n.file != nil:
		l.file = n.file
	case n.conf.File == "":
		l.file = nil
	default: // it stays open
		old.max, old.keep, old.age = int64(n.conf.MaxSize), n.conf.Keep, n.conf.MaxAge
	}
	sink := zapcore.AddSync(l.out)
	if l.file != nil {
		sink = l.file
	}
	l.conf, l.core = n.conf, zapcore.NewCore(n.encoder, zapcore.Lock(sink), n.level)
	if old != nil && old != l.file {
		_ = old.Close()
	}
}

func (l *serviceLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.core.Sync()
	if err != nil && l.file != nil {
		_, _ = fmt.Fprintf(os.Stderr, "tidemark: write the log: %s\n", err)
	}
	if l.file != nil {
		_ = l.file.Close()
	}
}

// A followingCore writes to what the log is at that time.
type followingCore struct {
	log    *serviceLog
	fields []zapcore.Field
}

// Enabled implements zapcore.LevelEnabler.
func (c followingCore) Enabled(level zapcore.Level) bool {
	c.log.mu.RLock()
	defer c.log.mu.RUnlock()
	return c.log.core.Enabled(level)
}

// With implements zapcore.Core.
func (c followingCore) With(fields []zapcore.Field) zapcore.Core {
	return followingCore{c.log, append(slices.Clip(c.fields), fields...)}
}

// Check implements zapcore.Core.
func (c followingCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return to.AddCore(e, c)
	}
	return to
}

// Write implements zapcore.Core.
func (c followingCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	c.log.mu.RLock()
	defer c.log.mu.RUnlock()
	return c.log.core.Write(e, append(slices.Clip(c.fields), fields...))
}

// Sync implements zapcore.Core.
func (c followingCore) Sync() error {
	c.log.mu.RLock()
	defer c.log.mu.RUnlock()
	return c.log.core.Sync()
}
