package sqlserver

import (
	"fmt"
	"strings"
)

// A setting is one SET of the head of every batch. What is set inside
// sp_executesql ends with it (Microsoft Learn, "SET Statements"); it is set
// every time all the same, so that nothing depends on it.
type setting struct {
	name string
	text func(Limits, isolation) string
	lack string // what it means when the server refuses it
}

// The isolation level comes first: some compatible servers let it be set
// before any other statement only.
var settings = [...]setting{
	{"TRANSACTION ISOLATION LEVEL", func(_ Limits, level isolation) string {
		if level == isolationSnapshot {
			return "SNAPSHOT"
		}
		return "READ COMMITTED"
	}, "rows are read under the isolation level that the server has of itself"},
	// A batch ends with its first error. What it said behind one would stay
	// in the driver, which does not always read on.
	{"XACT_ABORT", func(Limits, isolation) string { return "ON" }, "a batch may go on behind an error"},
	{"NOCOUNT", func(Limits, isolation) string { return "ON" }, "a few bytes more travel with each statement"},
	{"TEXTSIZE", func(Limits, isolation) string { return "2147483647" }, "large values come in the length that the server has of itself"},
	{"LOCK_TIMEOUT", func(l Limits, _ isolation) string { return fmt.Sprint(max(l.LockTimeout.Milliseconds(), 0)) },
		"a wait for a lock ends with limits.statement_timeout, not with limits.lock_timeout"},
	{"DEADLOCK_PRIORITY", func(Limits, isolation) string { return "LOW" }, "a read can win a deadlock"},
}

func (s setting) sql(l Limits, level isolation) string {
	return "SET " + s.name + " " + s.text(l, level) + ";"
}

// A dialect is what of our T-SQL a server refuses. The zero value is that of
// SQL Server, which refuses nothing.
type dialect struct {
	refused   [len(settings)]bool
	noHints   bool // OPTION (...)
	committed bool // SNAPSHOT, although the database claims to allow it
}

// head is the head of every batch.
func (d *dialect) head(l Limits, level isolation) string {
	if d.committed {
		level = isolationCommitted
	}
	var b strings.Builder
	for i, s := range settings {
		if !d.refused[i] {
			b.WriteString(s.sql(l, level))
			b.WriteByte(' ')
		}
	}
	return strings.TrimSuffix(b.String(), " ") + "\n"
}

// body is a statement without what the server refuses.
func (d *dialect) body(text string) string {
	if d.noHints {
		text = strings.NewReplacer(readHints, "", lookupHints, "").Replace(text)
	}
	return text
}

// Hints of all reads. One processor is enough; and plans are made for any
// values, not for those that happened to come first: a first chunk of 50,000
// rows would be planned as a sort of the whole table, for ever.
const (
	readHints   = " OPTION (MAXDOP 1, OPTIMIZE FOR UNKNOWN)"
	lookupHints = "\nOPTION (LOOP JOIN, FORCE ORDER, MAXDOP 1, OPTIMIZE FOR UNKNOWN)"
)
