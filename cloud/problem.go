package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// problemOf returns what a client is told about an error. What is not in the
// contract is told as Internal without its text, which can hold what is none
// of the client's business; the log has it under the request's ID.
func problemOf(err error) *wire.Problem {
	var p *wire.Problem
	switch {
	case errors.As(err, &p):
		shown := *p
		return &shown
	case errors.Is(err, wire.ErrTooLarge):
		return wire.NewProblem(wire.TooLarge, err.Error(), "Send fewer rows in one batch.")
	case errors.Is(err, wire.ErrTruncated), errors.Is(err, wire.ErrBody), errors.Is(err, summary.ErrMessage):
		return malformed(err)
	case errors.Is(err, ErrUnavailable):
		return wire.NewProblem(wire.Overloaded, "the database is not available", "Try again after the seconds in Retry-After.")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return wire.NewProblem(wire.Overloaded, "the work took too long", "Try again after the seconds in Retry-After.")
	}
	return wire.NewProblem(wire.Internal, "", "The operator finds the cause in the server's log under the request's id.")
}

// malformed is the problem of a request that is not as the contract says.
func malformed(err error) *wire.Problem {
	hint := ""
	if errors.Is(err, wire.ErrProtocol) {
		hint = otherProtocol
	}
	return wire.NewProblem(wire.Malformed, err.Error(), hint)
}

// otherProtocol is the hint for what is of another protocol.
const otherProtocol = "Update the older of the two: `tidemark version` and `tidemark-cloud version` tell which protocol each speaks."

func (s *Server) writeProblem(w http.ResponseWriter, p *wire.Problem, id string) {
	p.RequestID = id
	body, err := json.Marshal(p)
	if err != nil { // strings and numbers alone: cannot fail
		panic(err)
	}
	h := w.Header()
	h.Set("Content-Type", wire.ProblemType)
	h.Del("ETag")
	h.Del("Content-Encoding")
	switch p.Code {
	case wire.Overloaded:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", s.retryAfter())
		}
	case wire.Unauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="tidemark"`)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a client that is gone cannot be told
}
