package wire

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

var limits = Limits{Body: 1 << 20, Line: 1 << 10}

func read(body []byte, max Limits) (lines []string, err error) {
	r, err := NewBodyReader(bytes.NewReader(body), max)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var h Header
	if err := r.Header(&h); err != nil {
		return nil, err
	}
	r.Expect(h.Rows)
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		lines = append(lines, string(line))
	}
}

func encode(t *testing.T, rows int, lines string) []byte {
	t.Helper()
	body, err := EncodeBody(nil, Header{Rows: rows}, []byte(lines))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestBodyRoundTrip(t *testing.T) {
	want := []string{`["1",1]`, `["2",` + `"` + strings.Repeat("x", 900) + `"]`, `["3",3]`}
	got, err := read(encode(t, 3, strings.Join(want, "\n")+"\n"), limits)
	if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
		t.Fatalf("got %q, %v", got, err)
	}
	if got, err := read(encode(t, 0, ""), limits); err != nil || len(got) != 0 {
		t.Fatalf("empty: %q, %v", got, err)
	}
}

func TestBodyRefused(t *testing.T) {
	line := "[\"1\",1]\n"
	whole := encode(t, 2, line+line)
	bomb, err := EncodeBody(nil, Header{Rows: 1 << 30}, bytes.Repeat([]byte(line), 1<<18))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-2] ^= 1 // in the checksum
	tests := map[string]struct {
		body []byte
		want error
	}{
		"empty":        {nil, ErrTruncated},
		"not zstd":     {[]byte("[1]\n[2]\n"), ErrBody},
		"few lines":    {encode(t, 3, line+line), ErrTruncated},
		"half a line":  {encode(t, 2, line+`["1"`), ErrTruncated},
		"many lines":   {encode(t, 1, line+line), ErrBody},
		"checksum":     {flipped, ErrBody},
		"bomb":         {bomb, ErrTooLarge},
		"long line":    {encode(t, 1, `["`+strings.Repeat("x", 2000)+"\"]\n"), ErrTooLarge},
		"unknown head": {frame(t, "{\"rows\":0,\"new\":1}\n"), ErrBody},
		"two heads":    {frame(t, "{\"rows\":0}{}\n"), ErrBody},
	}
	for name, tt := range tests {
		if _, err := read(tt.body, limits); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for cut := range len(whole) {
		if _, err := read(whole[:cut], limits); err == nil {
			t.Fatalf("cut at %d of %d: no error", cut, len(whole))
		}
	}
}

func frame(t *testing.T, text string) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return e.EncodeAll([]byte(text), nil)
}

func FuzzBodyReader(f *testing.F) {
	whole, err := EncodeBody(nil, Header{Rows: 1}, []byte("[\"1\",1]\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := read(body, limits)
		size := 0
		for _, l := range lines {
			size += len(l)
		}
		if size > int(limits.Body) {
			t.Fatalf("%d bytes came out (%v)", size, err)
		}
	})
}

// What a long line leaves behind while its buffer grows is about its own size.
func TestMemoryOfALongLine(t *testing.T) {
	const size = 64 << 20
	body := encode(t, 1, `["`+strings.Repeat("x", size)+"\"]\n")
	r, err := NewBodyReader(bytes.NewReader(body), Limits{Body: 2 * size, Line: size + 100})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Header(new(Header)); err != nil {
		t.Fatal(err)
	}
	r.Expect(1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	line, err := r.Next()
	runtime.ReadMemStats(&after)
	if err != nil || len(line) != size+4 {
		t.Fatalf("%d bytes, %v", len(line), err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 5*size/2 {
		t.Errorf("%d MiB were allocated for a line of %d MiB", allocated>>20, size>>20)
	}
}
