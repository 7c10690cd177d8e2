package cloud

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"tidemark/internal/wire"
)

// heldBytes is how much of an answer, compressed, is held back until it is
// complete: what goes wrong until then is answered with a problem.
const heldBytes = 1 << 20

var errGone = errors.New("the client takes no more")

// answerMessage answers the message that write writes, in one frame. A message
// that does not come to its end does not look like one that did: the client
// finds a problem in its place, or a frame and a connection that are broken
// off.
func (s *Server) answerMessage(c *call, write func(io.Writer) error) error {
	out := &held{c: c}
	f := wire.NewFrameWriter(out)
	defer f.Abandon()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return out.send(time.Now().Add(s.limits.AnswerTime))
}

// held is a writer that passes on what is written to it once that is over
// heldBytes.
type held struct {
	c      *call
	buf    []byte
	failed error // of the client's connection
}

func (h *held) Write(p []byte) (int, error) {
	if h.failed != nil {
		return 0, h.failed
	}
	h.buf = append(h.buf, p...)
	if len(h.buf) > heldBytes {
		// A client that takes it too slowly keeps the store waiting no longer
		// than the request has time.
		deadline, _ := h.c.r.Context().Deadline()
		return len(p), h.send(deadline)
	}
	return len(p), nil
}

// send begins or continues the answer with what is held. The client has until
// deadline to take it.
func (h *held) send(deadline time.Time) error {
	// Not every ResponseWriter has deadlines.
	_ = http.NewResponseController(h.c.w).SetWriteDeadline(deadline)
	h.c.w.Header().Set("Content-Type", wire.SummaryType)
	h.c.w.Header().Set("Content-Encoding", "zstd")
	if _, err := h.c.w.Write(h.buf); err != nil {
		h.failed = fmt.Errorf("%w: %w", errGone, err)
		return h.failed
	}
	h.buf = h.buf[:0]
	return nil
}
