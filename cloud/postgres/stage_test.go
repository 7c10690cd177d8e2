package postgres_test

import (
	"fmt"
	"testing"

	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// One connection serves more tables than it keeps staging tables for, in an
// order that takes each of them away and makes it again.
func TestMoreTablesThanStages(t *testing.T) {
	s, _ := open(t, postgres.Options{Connections: 1})
	postgres.AlwaysStage(s)
	var sites []*site
	for i := range 12 {
		at := newSite(t, s, fmt.Sprint("c", i), fmt.Sprint("table ", i), "id int; v int")
		at.load([][]byte{[]byte(`["1",1,1]`)}, 1)
		sites = append(sites, at)
	}
	for round := range 30 {
		for step := range 5 {
			at := sites[(round*7+step*step)%len(sites)]
			if a := at.apply(wire.Delta, fmt.Sprintf(`["%d",1,%d]`, round*10+step+2, round)); a.Updated != 1 {
				t.Fatalf("round %d: %+v", round, a)
			}
		}
	}
}
