package agent

import (
	"encoding/json"
	"maps"

	"tidemark/agent/state"
	"tidemark/internal/wire"
)

// A cursor says where an unfinished upload goes on. The cloud keeps it with
// the version, so that it survives the agent's state.
//
// A load reads every row, whatever its version, while the table moves. The
// ceiling is taken before its first read: rows that move behind the cursor
// lie above it, and the delta after the load brings them.
type cursor struct {
	From    uint64 `json:"from,string,omitempty"` // of a delta: the watermark that it began at
	Ceiling uint64 `json:"to,string"`             // the watermark when it ends
	At      string `json:"at"`                    // the reader's
	Delta   bool   `json:"delta,omitempty"`
}

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil { // strings and numbers alone: cannot fail
		panic(err)
	}
	if len(b) > wire.MaxCursor {
		return "" // begin again rather than not at all
	}
	return string(b)
}

// parseCursor reports false for a text that is none, or another kind's.
func parseCursor(s string, delta bool) (cursor, bool) {
	var c cursor
	if s == "" || json.Unmarshal([]byte(s), &c) != nil || c.Delta != delta {
		return cursor{}, false
	}
	return c, true
}

// Marks are what tells one incarnation of the source's database from another,
// as the cloud keeps them for an agent that lost its state.
type marks struct {
	Marks     map[string]string `json:"m,omitempty"` // as the source names them
	Sentinels []state.Sentinel  `json:"s,omitempty"`
	Columns   []int             `json:"c,omitempty"` // of the table: see reborn
}

// maxSentinels are kept of a table.
const maxSentinels = 4

func (m marks) String() string {
	for {
		b, err := json.Marshal(m)
		if err != nil { // strings and numbers alone: cannot fail
			panic(err)
		}
		if len(b) <= wire.MaxMarks {
			return string(b)
		}
		if len(m.Sentinels) == 0 {
			return ""
		}
		m.Sentinels = m.Sentinels[:len(m.Sentinels)-1] // keys of an index are at most 1,700 bytes, but JSON may swell them
	}
}

func parseMarks(s string) marks {
	var m marks
	if json.Unmarshal([]byte(s), &m) != nil {
		return marks{}
	}
	return m
}

// Names of marks. The hard ones change with a restore alone; the others also
// with a failover to a healthy replica, and only make the agent look at its
// sentinels again.
const (
	markFork     = "recovery fork"
	markDatabase = "database GUID"
	markServer   = "server"
	markCreated  = "date of creation"
)

// marks returns the marks that are visible.
func (p *probe) marks() map[string]string {
	all := map[string]string{markFork: p.Marks.Fork, markDatabase: p.Marks.DatabaseGUID, markServer: p.Marks.Server, markCreated: p.Marks.Created}
	maps.DeleteFunc(all, func(_, v string) bool { return v == "" })
	return all
}

// differing returns the first of the named marks that two sets hold
// otherwise, "" for none. A mark that one of them lacks tells nothing: rights
// come and go.
func differing(a, b map[string]string, names ...string) string {
	for _, name := range names {
		if v, w := a[name], b[name]; v != "" && w != "" && v != w {
			return name
		}
	}
	return ""
}
