package main

import (
	"errors"
	"io"
	"os"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// logFlags say what is logged, and how.
type logFlags struct{ level, format string }

func (l *logFlags) add(f *pflag.FlagSet) {
	f.StringVar(&l.level, "log-level", "info", "debug, info (every request), warn or error")
	f.StringVar(&l.format, "log-format", "json", "json or text")
}

var levels = map[string]zapcore.Level{"debug": zap.DebugLevel, "info": zap.InfoLevel, "warn": zap.WarnLevel, "error": zap.ErrorLevel}

// logger makes the log on out.
func (l *logFlags) logger(out io.Writer) (*zap.Logger, error) {
	level, ok := levels[l.level]
	if !ok {
		return nil, &command.UsageError{Err: fault.New("read the command line", errors.New("--log-level "+l.level+" is no level"), "levels are debug, info, warn and error")}
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	var encoder zapcore.Encoder
	switch l.format {
	case "json":
		encoder = zapcore.NewJSONEncoder(encoding)
	case "text":
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	default:
		return nil, &command.UsageError{Err: fault.New("read the command line", errors.New("--log-format "+l.format+" is no format"), "formats are json and text")}
	}
	// What goes wrong with the log itself has only one place left to go to.
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level), zap.ErrorOutput(zapcore.Lock(zapcore.AddSync(os.Stderr)))), nil
}
