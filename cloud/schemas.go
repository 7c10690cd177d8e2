package cloud

import (
	"context"
	"fmt"
	"sync"

	"tidemark/internal/wire"
)

// maxSchemaColumns bounds the columns of all schemas that are kept.
const maxSchemaColumns = 200_000

// schemas keeps schemas by fingerprint. A fingerprint names one content, so
// that an entry is right for ever and for every customer; whether it is the
// one that is registered, the store checks in the transaction of the batch.
type schemas struct {
	mu      sync.Mutex
	entries map[string]wire.Schema
	columns int
}

func (s *schemas) put(fingerprint string, schema wire.Schema) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.entries[fingerprint]; ok {
		return
	}
	if s.columns += len(schema.Columns); s.entries == nil || s.columns > maxSchemaColumns {
		s.entries = make(map[string]wire.Schema)
		s.columns = len(schema.Columns)
	}
	s.entries[fingerprint] = schema
}

// find returns the schema of a fingerprint, asking the store only when it is
// not known here.
func (s *schemas) find(ctx context.Context, store Store, customer, table, fingerprint string) (wire.Schema, error) {
	s.mu.Lock()
	schema, ok := s.entries[fingerprint]
	s.mu.Unlock()
	if ok {
		return schema, nil
	}
	t, err := store.Table(ctx, customer, table)
	if err != nil {
		return wire.Schema{}, err
	}
	if t.Version.Schema != fingerprint {
		p := wire.NewProblem(wire.SchemaChanged, fmt.Sprintf("the request was made for schema %.32s, registered is %s", fingerprint, t.Version.Schema),
			"Register the schema, then make the request anew.")
		p.Version = &t.Version
		return wire.Schema{}, p
	}
	s.put(fingerprint, t.Schema)
	return t.Schema, nil
}
