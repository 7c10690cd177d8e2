package cloud

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud/cost"
	"tidemark/internal/wire"
)

// observe makes a handler of a function that returns an error: it gives the
// request an ID, turns errors and panics into problem documents, and writes
// the access log and the metrics.
func (s *Server) observe(path string, handle func(*call) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		c := &call{w: rec, r: r, id: requestID(r)}
		rec.Header().Set(wire.HeaderRequestID, c.id)
		ctx, tally := cost.With(r.Context())
		c.r = r.WithContext(ctx)
		err := s.answer(c, handle)
		for _, leave := range c.leave {
			leave()
		}
		took := time.Since(start)
		status := rec.status()
		if errors.Is(err, errHalfWritten) && !errors.Is(err, errGone) {
			status = http.StatusInternalServerError
		}
		s.metrics.request(r.Method, path, status, took)
		s.metrics.moved(r.Method, path, len(c.body), rec.bytes)
		spent := tally.Sums()
		spent.Requests, spent.Time, spent.BytesIn, spent.BytesOut = 1, took, int64(len(c.body)), rec.bytes
		s.charge(c, path, status, spent)
		s.access(c, rec, spent, err)
		s.tell(c, path, status, start, spent)
		if errors.Is(err, errHalfWritten) {
			panic(http.ErrAbortHandler) // the connection must not look well
		}
	})
}

var errHalfWritten = errors.New("the answer is broken off, half written")

// answer runs the handler and writes the problem that it returns. An error
// with the answer begun is errHalfWritten besides.
func (s *Server) answer(c *call, handle func(*call) error) (err error) {
	rec := c.w.(*recorder)
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic", zap.String("request_id", c.id), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
		switch {
		case err == nil:
		case rec.code != 0:
			err = fmt.Errorf("%w: %w", errHalfWritten, err)
		default:
			s.writeProblem(rec, problemOf(err), c.id)
		}
	}()
	return handle(c)
}

// charge tells what a customer's request cost. A table that may not be there
// is not told: its name is the client's to choose.
func (s *Server) charge(c *call, path string, status int, spent cost.Sums) {
	if c.customer == "" {
		return
	}
	dataset := c.table
	if status == http.StatusNotFound || status == http.StatusBadRequest {
		dataset = ""
	}
	if status >= http.StatusInternalServerError {
		spent.Failed = 1
	}
	s.costs.Add(cost.Charge{Endpoint: endpoint(c.r.Method, path), Dataset: dataset, Customer: c.customer, Sums: spent})
}

// endpoint is the short name of a route: "POST rows", "GET table".
func endpoint(method, path string) string {
	return method + " " + strings.Trim(path[strings.LastIndexByte(path, '/')+1:], "{}")
}

func (s *Server) access(c *call, rec *recorder, spent cost.Sums, err error) {
	level := zap.InfoLevel
	switch code := rec.status(); {
	case code == http.StatusInternalServerError:
		level = zap.ErrorLevel
	case errors.Is(err, errHalfWritten) && !errors.Is(err, errGone):
		level = zap.WarnLevel
	case c.customer == "" && code < 300: // probes
		level = zap.DebugLevel
	}
	entry := s.log.Check(level, "request")
	if entry == nil {
		return
	}
	fields := []zap.Field{zap.String("request_id", c.id), zap.String("method", c.r.Method), zap.String("path", c.r.URL.Path),
		zap.Int("status", rec.status()), zap.Duration("took", spent.Time), zap.Int("bytes_in", len(c.body)), zap.Int64("bytes_out", rec.bytes),
		zap.String("remote", c.r.RemoteAddr)}
	if c.customer != "" {
		fields = append(fields, zap.String("customer", c.customer))
	}
	if spent.Rows > 0 {
		fields = append(fields, zap.Int64("rows", spent.Rows), zap.Int64("changed", spent.Changed))
	}
	if spent.Read+spent.Hit > 0 {
		fields = append(fields, zap.Int64("blocks_read", spent.Read), zap.Int64("blocks_hit", spent.Hit))
	}
	if err != nil {
		fields = append(fields, zap.Error(err))
	}
	entry.Write(fields...)
}

// requestID is the client's, when it is one that a log can hold, or a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get(wire.HeaderRequestID)
	if id == "" || len(id) > 64 {
		return rand.Text()
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return rand.Text()
		}
	}
	return id
}

// A recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	code  int
	bytes int64
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the server's own writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}
