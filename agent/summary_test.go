package agent_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"tidemark/agent"
	"tidemark/cloud"
	"tidemark/internal/wire"
)

// TestSummaries compares by summaries: equal sides with one request, a few
// differences with a few more, of all three kinds, in tables with and without
// a rowversion column and for layouts of both kinds.
func TestSummaries(t *testing.T) {
	for name, create := range map[string]string{
		"ordered":            "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)",
		"composite":          "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL, v int NULL, rv rowversion NOT NULL, PRIMARY KEY (a, b))",
		"hashed":             "CREATE TABLE {s}.t (a int NOT NULL, b decimal(12,2) NOT NULL PRIMARY KEY, v int NULL, rv rowversion NOT NULL)",
		"without rowversion": "CREATE TABLE {s}.t (a int NOT NULL, b int NOT NULL PRIMARY KEY, v int NULL)",
	} {
		t.Run(name, func(t *testing.T) {
			onStores(t, func(t *testing.T, r *rig) {
				r.db.Exec(t, create)
				insertMany(r, 4000)
				r.sync("t").table(func(s *agent.TableSite) { s.MaxSkips = 10_000; s.CountEvery = time.Hour }).start()
				r.settles("t")
				r.quiet("t")

				if err := r.agent.Pause(t.Context(), "t", "comparing by hand"); err != nil { // no cycle but those asked for
					t.Fatal(err)
				}
				r.resumed(func() {
					if d := r.diff(true); d.Compared != 4000 || d.Equal != 4000 || !d.Same || d.Before != d.After || d.Manifest != "" || d.Requests > 2 {
						t.Errorf("equal sides: %+v", d)
					}
				})
				r.plant(3)
				r.resumed(func() {
					d := r.diff(false)
					if d.Missing != 3 || d.Repaired != 3 || d.Manifest != "" || d.Nodes < 1 || d.Leaves > 3 || !d.Same {
						t.Errorf("three rows that the cloud lost: %+v", d)
					}
				})
				r.equal("t")
				r.db.Exec(t, "DELETE FROM {s}.t WHERE b IN (17, 1800, 3999); UPDATE {s}.t SET v = -1 WHERE b IN (4, 5)")
				if err := r.agent.Resume(t.Context(), "t"); err != nil {
					t.Fatal(err)
				}
				if name == "without rowversion" {
					r.diff(false)
				}
				r.settles("t")
				r.quiet("t")
			})
		})
	}
}

// resumed does something to a table that is paused before and after.
func (r *rig) resumed(do func()) {
	r.t.Helper()
	if err := r.agent.Resume(r.t.Context(), "t"); err != nil {
		r.t.Fatal(err)
	}
	do()
	if err := r.agent.Pause(r.t.Context(), "t", "comparing by hand"); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) diff(dryRun bool) agent.DiffReport {
	r.t.Helper()
	d, err := r.agent.Diff(r.t.Context(), "t", dryRun)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// plant has the cloud lose n rows of t that the agent does not know of.
func (r *rig) plant(n int) {
	r.t.Helper()
	table, err := r.store.Table(r.t.Context(), customer, "t")
	if err != nil {
		r.t.Fatal(err)
	}
	v := table.Version
	var lost lost
	at := table.Schema.KeyIndexes()
	seen := 0
	err = r.store.Rows(r.t.Context(), customer, "t", func(row cloud.Row) error {
		if seen++; seen%1000 != 500 || len(lost.rows) == n {
			return nil
		}
		gone := cloud.Row{Index: len(lost.rows), Version: row.Version}
		for _, i := range at {
			gone.Values = append(gone.Values, append([]byte(nil), row.Values[i]...))
		}
		lost.rows = append(lost.rows, gone)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	answer, err := r.store.Delete(r.t.Context(), cloud.Batch{
		Customer: customer, Table: "t", Schema: table.Schema, Rows: &lost, Now: time.Now(),
		Header: wire.Header{
			Protocol: wire.Protocol, Kind: wire.Delete, Seq: v.Seq + 1, ID: strings.Repeat("0f", 16), Writer: wire.Writer{ID: v.Writer.ID, Run: v.Writer.Run},
			Epoch: v.Epoch, Schema: v.Schema, Rows: n,
		},
	})
	if err != nil || answer.Deleted != n {
		r.t.Fatal(fmt.Sprint(answer, err))
	}
}

// lost is rows as a cloud.RowSource.
type lost struct {
	rows []cloud.Row
	at   int
}

func (l *lost) Next() (cloud.Row, error) {
	if l.at == len(l.rows) {
		return cloud.Row{}, io.EOF
	}
	l.at++
	return l.rows[l.at-1], nil
}

func (l *lost) Rewind() error { l.at = 0; return nil }
