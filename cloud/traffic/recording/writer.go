package recording

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A Writer writes a recording. One goroutine uses it.
type Writer struct {
	z       *zstd.Encoder
	scratch []byte
}

// NewWriter begins a recording on w.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	out := &Writer{z: z}
	if _, err := io.WriteString(z, magic); err != nil {
		return nil, err
	}
	return out, out.document(h)
}

// Write adds an entry.
func (w *Writer) Write(e *Entry) error {
	if len(e.Body) > maxBody {
		return fmt.Errorf("a body of %d bytes", len(e.Body))
	}
	if err := w.document(e); err != nil || e.Gap {
		return err
	}
	return w.piece(e.Body)
}

func (w *Writer) document(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(b) > maxHead {
		return fmt.Errorf("a head of %d bytes", len(b))
	}
	return w.piece(b)
}

func (w *Writer) piece(b []byte) error {
	w.scratch = binary.AppendUvarint(w.scratch[:0], uint64(len(b)))
	if _, err := w.z.Write(w.scratch); err != nil {
		return err
	}
	_, err := w.z.Write(b)
	return err
}

// Flush brings all that was written to the underlying writer.
func (w *Writer) Flush() error { return w.z.Flush() }

// Close ends the recording; the underlying writer is not closed.
func (w *Writer) Close() error { return w.z.Close() }
