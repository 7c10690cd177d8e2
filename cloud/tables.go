package cloud

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"tidemark/internal/wire"
)

// getVersions answers the versions of all tables of the customer.
func (s *Server) getVersions(c *call) error {
	v, tag, err := s.versions(c.r.Context(), c.customer, c.r.Header.Get("If-None-Match"))
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", tag)
	c.w.Header().Set("Cache-Control", "private, no-cache")
	if v == nil {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.answer(v)
}

// versions reads the versions and their ETag; nil when the ETag is among
// those known. It is read first: versions newer than their ETag are asked for
// once more, older ones would be believed.
func (s *Server) versions(ctx context.Context, customer, known string) (*wire.Versions, string, error) {
	token, err := s.store.VersionsToken(ctx, customer)
	if err != nil {
		return nil, "", err
	}
	tag := `"` + token + `"`
	if matches(known, tag) {
		return nil, tag, nil
	}
	v, err := s.store.Versions(ctx, customer)
	if err != nil {
		return nil, "", err
	}
	if v.Tables == nil {
		v.Tables = map[string]wire.Version{}
	}
	return &v, tag, nil
}

// getTable answers version and schema of one table.
func (s *Server) getTable(c *call) error {
	t, err := s.store.Table(c.r.Context(), c.customer, c.table)
	if err != nil {
		return err
	}
	return c.answer(t)
}

// putSchema registers the columns of a table, or changes them.
func (s *Server) putSchema(c *call) error {
	var schema wire.Schema
	if err := c.decode(&schema); err != nil {
		return err
	}
	if err := checkSchema(schema); err != nil {
		return malformed(err)
	}
	t, err := s.store.Register(c.r.Context(), c.customer, c.table, schema)
	if err != nil {
		return err
	}
	s.schemas.put(t.Version.Schema, t.Schema)
	return c.answer(t)
}

// checkSchema is the schema's own check and what our stores cannot hold.
func checkSchema(s wire.Schema) error {
	if err := s.Check(); err != nil {
		return err
	}
	for _, col := range s.Columns {
		if strings.ContainsRune(col.Name, 0) {
			return fmt.Errorf("column %q: a name cannot hold the character U+0000", col.Name)
		}
	}
	for _, t := range s.KeyTypes() {
		if t.Len == wire.MaxLen || t.Kind == wire.XML || t.Kind == wire.Geometry || t.Kind == wire.Geography {
			return fmt.Errorf("a column of type %s cannot be in a key", t)
		}
	}
	return nil
}
