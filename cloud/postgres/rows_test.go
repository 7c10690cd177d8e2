package postgres_test

import (
	"fmt"
	"sync"
	"testing"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
	"tidemark/internal/wire"
)

// A table whose columns change again and again can be read all the while.
func TestRowsWhileColumnsChange(t *testing.T) {
	s, _ := open(t, postgres.Options{Connections: 4})
	acme := newSite(t, s, "acme", "t", "id int")
	acme.load([][]byte{[]byte(`["1",1]`)}, 1)
	var changing sync.WaitGroup
	changing.Go(func() {
		schema := acme.schema
		for i := range 60 {
			schema.Columns = append(schema.Columns[:1:1], wire.Column{Name: fmt.Sprintf("c%d", i%3), Type: wire.Type{Kind: wire.Int}, Nullable: true})
			if _, err := s.Register(t.Context(), "acme", "t", schema); err != nil {
				t.Error(err)
			}
		}
	})
	for range 300 {
		n := 0
		if err := s.Rows(t.Context(), "acme", "t", func(cloud.Row) error { n++; return nil }); err != nil || n != 1 {
			t.Errorf("%d rows, %v", n, err)
		}
	}
	changing.Wait()
}
