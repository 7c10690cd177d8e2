package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// On each way into the table, with a summary and without: a key that is staged
// twice ends as its newest line, whether it was there before or not, rows that
// are there as they are sent stay untouched, and the counts tell it.
func TestMerge(t *testing.T) {
	for _, stages := range []bool{false, true} {
		for _, without := range []bool{false, true} {
			t.Run(fmt.Sprintf("stages=%t,without=%t", stages, without), func(t *testing.T) {
				s, conn := open(t, postgres.Options{WithoutSummaries: without})
				if stages {
					postgres.AlwaysStage(s)
				}
				// Columns with names of the statement's own.
				acme := newSite(t, s, "acme", "t", "place int; changed int; found int")
				acme.load([][]byte{[]byte(`["1",1,1,1]`), []byte(`["1",2,1,1]`), []byte(`["1",3,1,1]`)}, 10)
				if !without {
					if _, err := s.Summarize(t.Context(), "acme", "t"); err != nil {
						t.Fatal(err)
					}
				}
				place := func() (ctid string) {
					if err := conn.QueryRow(t.Context(), "SELECT ctid || ' ' || xmin || ' ' || xmax FROM data.t WHERE place = 3").Scan(&ctid); err != nil {
						t.Fatal(err)
					}
					return ctid
				}
				before := place()
				for i, step := range []struct {
					rows []string
					want wire.Answer
				}{
					{[]string{`["2",1,2,null]`, `["2",4,2,2]`, `["1",3,1,1]`}, wire.Answer{Inserted: 1, Updated: 1, Unchanged: 1}},
					{[]string{`["3",2,3,3]`, `["4",2,4,4]`, `["3",1,3,3]`}, wire.Answer{Updated: 2, Unchanged: 1}},
					{[]string{`["6",6,6,6]`, `["5",6,5,5]`, `["3",5,3,3]`}, wire.Answer{Inserted: 2, Unchanged: 1}},
					{[]string{`["7",6,7,7]`, `["8",6,8,8]`, `["8",7,8,8]`, `["7",7,7,7]`, `["1",3,1,1]`}, wire.Answer{Inserted: 1, Updated: 1, Unchanged: 3}},
				} {
					a := acme.apply(wire.Delta, step.rows...)
					step.want.Version = a.Version
					if d := cmp.Diff(step.want, a); d != "" {
						t.Errorf("step %d: %s", i, d)
					}
				}
				if after := place(); after != before {
					t.Errorf("an unchanged row was touched: %s, now %s", before, after)
				}
				var got string
				err := conn.QueryRow(t.Context(), "SELECT string_agg(concat_ws(' ', place, changed, found, _tm_rv), ', ' ORDER BY place) FROM data.t").Scan(&got)
				if want := "1 3 3 3, 2 4 4 4, 3 1 1 1, 4 2 2 2, 5 3 3 3, 6 8 8 8, 7 8 8 8"; err != nil || got != want {
					t.Errorf("rows %s, want %s, %v", got, want, err)
				}
				if !without {
					if wrong, err := s.Scrub(t.Context(), "acme", "t"); err != nil || wrong != 0 {
						t.Errorf("the summary has %d wrong leaves, %v", wrong, err)
					}
				}
			})
		}
	}
}
