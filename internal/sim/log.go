package sim

import (
	"fmt"
	"strings"

	"go.uber.org/zap/zapcore"
)

// A logCore takes a program's log into the history.
type logCore struct {
	w    *world
	name string
}

func (logCore) Enabled(l zapcore.Level) bool        { return l >= zapcore.InfoLevel }
func (c logCore) With([]zapcore.Field) zapcore.Core { return c }
func (logCore) Sync() error                         { return nil }
func (c logCore) Check(e zapcore.Entry, out *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return out.AddCore(e, c)
	}
	return out
}

func (c logCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	m := zapcore.NewMapObjectEncoder()
	var parts []string
	for _, f := range fields {
		f.AddTo(m)
		if f.Key == "error" || f.Key == "why" || f.Key == "epoch" {
			parts = append(parts, fmt.Sprintf("%s: %.200v", f.Key, m.Fields[f.Key]))
		}
	}
	if e.Message == "table.upload" || e.Message == "table.diff" { // the decisions say so
		return nil
	}
	c.w.say(c.name, "%s %s", e.Message, strings.Join(parts, ", "))
	return nil
}
