package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func writeFrame(t *testing.T, parts ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	f := NewFrameWriter(&b)
	for _, p := range parts {
		if _, err := f.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func readFrame(frame []byte, max int64) ([]byte, error) {
	f, err := NewFrameReader(bytes.NewReader(frame), max)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

func TestFrameRoundTrip(t *testing.T) {
	for _, want := range []string{"", "{}\n\x00\xff", string(bytes.Repeat([]byte("0123456789abcdef"), 1<<18))} {
		got, err := readFrame(writeFrame(t, []byte(want[:len(want)/2]), []byte(want[len(want)/2:])), 4<<20)
		if err != nil || string(got) != want {
			t.Errorf("%d bytes became %d, %v", len(want), len(got), err)
		}
	}
}

func TestFrameRefused(t *testing.T) {
	text := bytes.Repeat([]byte("some text, "), 1000)
	whole := writeFrame(t, text)
	for cut := 1; cut < len(whole); cut++ {
		if _, err := readFrame(whole[:cut], 1<<20); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrBody) {
			t.Errorf("cut at %d of %d: %v", cut, len(whole), err)
		}
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-2] ^= 1 // in the checksum
	if _, err := readFrame(flipped, 1<<20); !errors.Is(err, ErrBody) {
		t.Errorf("another checksum: %v", err)
	}
	if _, err := readFrame([]byte("not a frame"), 1<<20); !errors.Is(err, ErrBody) {
		t.Errorf("no frame: %v", err)
	}
	if got, err := readFrame(whole, int64(len(text))); err != nil || len(got) != len(text) {
		t.Errorf("as large as the limit: %d bytes, %v", len(got), err)
	}
	if _, err := readFrame(whole, int64(len(text))-1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if got, err := readFrame(writeFrame(t, make([]byte, 64<<20)), 1<<20); !errors.Is(err, ErrTooLarge) || len(got) > 1<<20 {
		t.Errorf("a bomb: %d bytes, %v", len(got), err)
	}
}

// What is abandoned is seen to be cut off, wherever that was.
func TestFrameAbandoned(t *testing.T) {
	for _, size := range []int{0, 10, 3 << 20} {
		var b bytes.Buffer
		f := NewFrameWriter(&b)
		if _, err := f.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		f.Abandon()
		if got, err := readFrame(b.Bytes(), 8<<20); err == nil && len(got) > 0 {
			t.Errorf("%d bytes of %d, and no error", len(got), size)
		}
	}
	if got, err := readFrame(writeFrame(t, []byte("the next")), 1<<20); err != nil || string(got) != "the next" {
		t.Errorf("an encoder that was abandoned before: %q, %v", got, err)
	}
}
