package agent_test

import (
	"testing"

	"tidemark/agent"
)

// TestHiddenSurplus deletes so many rows that the diff's filter hides some of
// them. A diff that knows of more than it has found is not the end: the
// table is not equal, is not told to be, and no skip waits in front of the
// next diff.
func TestHiddenSurplus(t *testing.T) {
	r := newRig(t)
	r.db.Exec(t, "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL PRIMARY KEY, v int NOT NULL, rv rowversion NOT NULL)")
	insertMany(r, 3200)
	r.sync("t").table(func(s *agent.TableSite) { s.MaxSkips = 10_000 }).start()
	r.settles("t")
	for i := range 3 { // each hides about 5
		r.db.Exec(t, "DELETE FROM {s}.t WHERE b < @p1", 800*(i+1))
		r.settles("t")
	}
}
