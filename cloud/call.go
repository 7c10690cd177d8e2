package cloud

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"tidemark/internal/wire"
)

// A call is one request on its way through the server.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	id       string
	customer string // authenticated
	table    string // checked
	body     []byte
	head     *wire.Header // of a batch, once the body is known to be one
	leave    []func()
}

// read returns the whole body, at most max bytes, within Limits.BodyTime. The
// place for it in memory is the call's until it ends.
func (s *Server) read(c *call, max int64) ([]byte, error) {
	size := c.r.ContentLength
	if size > max {
		return nil, wire.NewProblem(wire.TooLarge, fmt.Sprintf("the body has %d bytes, the most is %d", size, max), "Send fewer rows in one batch.")
	}
	if size < 0 {
		size = max
	}
	memory := s.receiving
	if size <= smallBody {
		memory = s.small
	}
	leave, err := memory.enter(c.r.Context(), c.customer, size)
	if err != nil {
		return nil, err
	}
	c.leave = append(c.leave, leave)
	// It waited for its place until now.
	deadline := http.NewResponseController(c.w)
	_ = deadline.SetReadDeadline(time.Now().Add(s.limits.BodyTime))
	var buf bytes.Buffer
	if c.r.ContentLength > 0 {
		buf.Grow(int(size) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, max)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return nil, wire.NewProblem(wire.TooLarge, fmt.Sprintf("the body is over %d bytes", max), "Send fewer rows in one batch.")
		}
		return nil, malformed(fmt.Errorf("the body did not arrive whole: %w", err))
	}
	// The body is here. A deadline that is left behind would end the request
	// while the store works.
	_ = deadline.SetReadDeadline(time.Time{})
	return buf.Bytes(), nil
}

// decode reads a JSON body strictly into v.
func (c *call) decode(v any) error { return c.decodeJSON(v, true) }

// decodeKnown reads a JSON body into v and passes over members that v has not.
func (c *call) decodeKnown(v any) error { return c.decodeJSON(v, false) }

func (c *call) decodeJSON(v any, strict bool) error {
	if kind, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return malformed(fmt.Errorf("the body is %q, not application/json", kind))
	}
	if !utf8.Valid(c.body) {
		return malformed(errors.New("the body is not valid UTF-8"))
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(v); err != nil {
		return malformed(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return malformed(errors.New("more than one value in the body"))
	}
	return nil
}

// isFrame tells whether a request announces a frame of a media type.
func isFrame(r *http.Request, kind string) error {
	if got := r.Header.Get("Content-Type"); got != kind {
		return malformed(fmt.Errorf("the body is %q, not %s", got, kind))
	}
	if got := r.Header.Get("Content-Encoding"); got != "zstd" {
		return malformed(fmt.Errorf("the body is encoded as %q, not zstd", got))
	}
	return nil
}

// answer writes a document with status 200.
func (c *call) answer(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.write("application/json", body)
}

// answerTagged writes a document with an ETag, or 304 when the client has it.
func (c *call) answerTagged(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tag := etag(body)
	c.w.Header().Set("ETag", tag)
	c.w.Header().Set("Cache-Control", "private, no-cache")
	if matches(c.r.Header.Get("If-None-Match"), tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.write("application/json", body)
}

func (c *call) write(kind string, body []byte) error {
	c.w.Header().Set("Content-Type", kind)
	// A client that is gone cannot be told; the access log has its status.
	_, _ = c.w.Write(body)
	return nil
}

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// matches compares weakly, as If-None-Match does (RFC 9110, 13.1.2).
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if part = strings.TrimSpace(part); part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
