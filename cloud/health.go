package cloud

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"
)

// getHealth answers whether the process lives.
func (s *Server) getHealth(c *call) error {
	return c.write("text/plain; charset=utf-8", []byte("ok\n"))
}

// getReady answers whether requests should come here: the store can serve,
// and the server is not on its way out.
func (s *Server) getReady(c *call) error {
	if s.draining.Load() {
		return fmt.Errorf("%w: the server is stopping", ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), 2*time.Second)
	defer cancel()
	if err := s.store.Ready(ctx); err != nil {
		return errors.Join(ErrUnavailable, err)
	}
	return c.write("text/plain; charset=utf-8", []byte("ok\n"))
}

// OpenAPI is the description of the API (OpenAPI 3.1). A test holds it against
// the routes and the documents of internal/wire.
//
//go:embed openapi.yaml
var OpenAPI []byte

// getOpenAPI answers the description of the API.
func (s *Server) getOpenAPI(c *call) error { return c.write("application/yaml", OpenAPI) }
