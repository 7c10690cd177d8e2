package cloud

import (
	"fmt"

	"tidemark/cloud/cost"
	"tidemark/internal/wire"
)

// maxList bounds the lines that a page may be asked to have.
const maxList = 50_000

// postManifest compares the lines, or the fingerprints, in the body with what
// the store holds, or lists a page of that.
func (s *Server) postManifest(c *call) error {
	if c.r.Header.Get("Content-Type") == wire.SummaryType {
		return s.postDifferences(c)
	}
	var h wire.ManifestHeader
	if err := s.header(c.body, &h); err != nil {
		return err
	}
	if err := checkManifest(h); err != nil {
		return malformed(err)
	}
	if err := s.tooMany(h.Rows); err != nil {
		return err
	}
	schema, err := s.schemas.find(c.r.Context(), s.store, c.customer, c.table, h.Schema)
	if err != nil {
		return err
	}
	limits := s.lineLimits()
	limits.Line = min(limits.Line, longLine) // keys are short
	src := keySource(c.body, limits, h.Rows, schema)
	defer src.Close()
	m := Manifest{Customer: c.customer, Table: c.table, Header: h, Schema: schema, Rows: src, Bytes: s.limits.Page}
	if h.Mode == wire.List {
		return s.list(c, m)
	}
	answer, err := s.store.Compare(c.r.Context(), m)
	if err != nil {
		return err
	}
	cost.From(c.r.Context()).Rows(h.Rows, 0)
	return c.answer(answer)
}

func (s *Server) list(c *call, m Manifest) error {
	var out wire.Lines
	h, err := s.store.List(c.r.Context(), m, &out)
	if err != nil {
		return err
	}
	cost.From(c.r.Context()).Rows(h.Rows, 0)
	body, err := wire.EncodeBody(nil, h, out.Buf)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Encoding", "zstd")
	return c.write(wire.ContentType, body)
}

func checkManifest(h wire.ManifestHeader) error {
	switch {
	case h.Protocol != wire.Protocol:
		return wire.OtherProtocol(h.Protocol, wire.Protocol)
	case h.Mode != wire.Compare && h.Mode != wire.List:
		return fmt.Errorf("mode %q is not known", h.Mode)
	case h.Rows < 0 || h.Mode == wire.List && h.Rows != 0:
		return fmt.Errorf("rows is %d", h.Rows)
	case h.Mode == wire.Compare && (h.After != "" || h.Limit != 0):
		return fmt.Errorf("after and limit belong to mode %q", wire.List)
	case h.Mode == wire.List && (h.Limit < 1 || h.Limit > maxList):
		return fmt.Errorf("limit is 1 to %d, not %d", maxList, h.Limit)
	}
	return nil
}
