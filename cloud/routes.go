package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tidemark/cloud/admission"
	"tidemark/internal/wire"
)

// kind says what the body of a request is.
type kind int

const (
	none     kind = iota
	document      // JSON
	lines         // of rows, in a zstd frame
	maybe         // lines or nothing
	message       // of a summary, in a zstd frame
	either        // lines or a message
)

// A route is one operation of the API.
type route struct {
	method string
	path   string
	body   kind
	class  admission.Class // of batches, their header tells
	handle func(*Server, *call) error
}

// Routes of customers need a key that opens the customer in the path.
var customerRoutes = []route{
	{"GET", "/v1/customers/{customer}/versions", none, admission.Read, (*Server).getVersions},
	{"GET", "/v1/customers/{customer}/policy", none, admission.Read, (*Server).getPolicy},
	{"PUT", "/v1/customers/{customer}/report", document, admission.Read, (*Server).putReport},
	{"GET", "/v1/customers/{customer}/tables/{table}", none, admission.Read, (*Server).getTable},
	{"PUT", "/v1/customers/{customer}/tables/{table}/schema", document, admission.Load, (*Server).putSchema},
	{"POST", "/v1/customers/{customer}/tables/{table}/rows", lines, admission.Change, (*Server).postRows},
	{"DELETE", "/v1/customers/{customer}/tables/{table}/rows", maybe, admission.Change, (*Server).deleteRows},
	{"GET", "/v1/customers/{customer}/tables/{table}/summary", none, admission.Diff, (*Server).getSummary},
	{"POST", "/v1/customers/{customer}/tables/{table}/summary", message, admission.Diff, (*Server).postSummary},
	{"POST", "/v1/customers/{customer}/tables/{table}/manifest", either, admission.Diff, (*Server).postManifest},
}

// Open routes need no key, and tell nothing of a customer; but for enrolment,
// they wait for nobody.
var openRoutes = []route{
	{method: "POST", path: "/v1/enroll", body: document, handle: (*Server).postEnroll},
	{method: "GET", path: "/healthz", handle: (*Server).getHealth},
	{method: "GET", path: "/readyz", handle: (*Server).getReady},
	{method: "GET", path: "/metrics", handle: (*Server).getMetrics},
	{method: "GET", path: "/openapi.yaml", handle: (*Server).getOpenAPI},
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range customerRoutes {
		mux.Handle(r.method+" "+r.path, s.observe(r.path, func(c *call) error { return s.guard(r, c) }))
	}
	for _, r := range openRoutes {
		mux.Handle(r.method+" "+r.path, s.observe(r.path, func(c *call) error { return r.handle(s, c) }))
	}
	mux.Handle("/", s.observe("other", notThere))
	return mux
}

// notThere answers what is no operation of the API, or of an API to come.
func notThere(c *call) error {
	asked := c.r.Method + " " + c.r.URL.Path
	if of, ok := strings.CutPrefix(c.r.URL.Path, "/v"); ok {
		of, _, _ = strings.Cut(of, "/")
		if n, err := strconv.Atoi(of); err == nil && n != 1 {
			return wire.NewProblem(wire.NotFound, fmt.Sprintf("%s: the API here is /v1: %v", asked, wire.ErrProtocol), otherProtocol)
		}
	}
	return wire.NewProblem(wire.NotFound, asked, "The operations are in /openapi.yaml.")
}

// guard lets a request of a customer in: the key, the table's name, the body,
// and a turn in its class. The store works only after all of them.
func (s *Server) guard(r route, c *call) (err error) {
	if err := s.letIn(c); err != nil {
		return err
	}
	if strings.Contains(r.path, "{table}") {
		c.table = c.r.PathValue("table")
		if err := CheckTable(c.table); err != nil {
			return malformed(err)
		}
	}
	if err := s.receive(c, r.body); err != nil {
		return err
	}
	defer s.works.begin()()
	leave, err := s.enter(c, r)
	if err != nil {
		return err
	}
	defer func() { leave(err) }()
	ctx, cancel := context.WithTimeout(c.r.Context(), s.limits.RequestTime)
	defer cancel()
	c.r = c.r.WithContext(ctx)
	return r.handle(s, c)
}

// letIn finds the customer and its policy. That waits for the store no longer
// than for a turn: a store that hangs must not collect requests.
func (s *Server) letIn(c *call) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), s.limits.Patience)
	defer cancel()
	if err := s.authenticate(ctx, c); err != nil {
		return err
	}
	s.announceLease(c)
	return s.announcePolicy(ctx, c)
}

// receive reads the body that a route has.
func (s *Server) receive(c *call, k kind) (err error) {
	switch k {
	case none:
		return nil
	case document:
		c.body, err = s.read(c, s.limits.Document)
		return err
	case either:
		if k = lines; c.r.Header.Get("Content-Type") == wire.SummaryType {
			k = message
		}
	}
	kind, most := wire.ContentType, s.limits.Body
	if k == message {
		kind, most = wire.SummaryType, min(most, maxQuestion)
	}
	if c.body, err = s.read(c, most); err != nil {
		return err
	}
	announced := c.r.Header.Get("Content-Type") != "" || c.r.Header.Get("Content-Encoding") != ""
	if len(c.body) > 0 || k != maybe {
		return isFrame(c.r, kind)
	}
	if announced { // a list of keys that lost its lines on the way must not delete all
		return malformed(errors.New("a list of keys was announced, but the body is empty"))
	}
	return nil
}
