package wire

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// SummaryType is the media type of the messages of package differ/summary: a
// JSON line, then what it announces. Like a list of rows they travel in a zstd
// frame with a checksum, announced with "Content-Encoding: zstd" beside it.
const SummaryType = "application/vnd.tidemark.summary"

// A FrameWriter compresses what is written to it into one zstd frame with a
// checksum. What is not closed is not a frame: every reader sees that it was
// cut off.
type FrameWriter struct{ zstd *zstd.Encoder }

// NewFrameWriter begins a frame. Close or Abandon gives its memory back.
func NewFrameWriter(w io.Writer) *FrameWriter {
	e := takeEncoder()
	e.Reset(w)
	return &FrameWriter{e}
}

func (f *FrameWriter) Write(p []byte) (int, error) { return f.zstd.Write(p) }

// Close ends the frame; it does not close what is written to.
func (f *FrameWriter) Close() error {
	if f.zstd == nil {
		return nil
	}
	err := f.zstd.Close()
	f.Abandon()
	return err
}

// Abandon leaves the frame without its end. After Close it does nothing.
func (f *FrameWriter) Abandon() {
	if f.zstd != nil {
		giveEncoder(f.zstd)
		f.zstd = nil
	}
}

// A FrameReader reads what a FrameWriter wrote, in the memory of the frame's
// window of at most 8 MiB. Its io.EOF means that the frame has ended with a
// matching checksum.
type FrameReader struct {
	zstd *zstd.Decoder
	left int64
}

// frames are decoders in wait of a frame.
var frames = sync.Pool{New: func() any { return newDecoder() }}

func newDecoder() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil { // the options are constant
		panic(err)
	}
	return d
}

// NewFrameReader begins to read a frame that holds at most max bytes. Close
// gives its memory back.
func NewFrameReader(r io.Reader, max int64) (*FrameReader, error) {
	f := &FrameReader{frames.Get().(*zstd.Decoder), max}
	if err := f.zstd.Reset(r); err != nil {
		f.Close()
		return nil, frameError(err)
	}
	return f, nil
}

// Read reads on. Its errors are ErrTruncated, ErrTooLarge for what is behind
// the limit, and ErrBody.
func (f *FrameReader) Read(p []byte) (int, error) {
	n, err := f.zstd.Read(p)
	if f.left -= int64(n); f.left < 0 {
		return 0, ErrTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = frameError(err)
	}
	return n, err
}

// Close ends the reading.
func (f *FrameReader) Close() {
	if f.zstd == nil {
		return
	}
	_ = f.zstd.Reset(nil) // lets go of the reader; nil cannot fail
	frames.Put(f.zstd)
	f.zstd = nil
}

func frameError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the frame is cut off", ErrTruncated)
	}
	return fmt.Errorf("%w: %w", ErrBody, err)
}
