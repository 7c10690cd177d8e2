package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"tidemark/internal/wire"
)

// unchanged checks that nothing was half applied, and that the table still
// takes what is right.
func (s *site) unchanged(t *testing.T) {
	t.Helper()
	if v := s.read(t); v != s.version {
		t.Errorf("version %+v, want %+v", v, s.version)
	}
	if got := s.list(t, 10); len(got) != 1 || got[0] != `["1",1]` {
		t.Errorf("rows %q", got)
	}
	if a := s.delta(t, `["1",1,"a"]`); a.Unchanged != 1 {
		t.Errorf("%+v", a)
	}
}

func compress(t *testing.T, text []byte) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }() // it holds nothing but memory
	return e.EncodeAll(text, nil)
}

func testBodies(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	send := func(code wire.Code, body []byte, change ...func(*http.Request)) {
		t.Helper()
		s.do(t, http.MethodPost, s.path("/rows"), body, change...).problem(t, code)
	}
	h := s.header(wire.Delta, 2)
	good := frame(t, h, `["9",1,"x"]`, `["9",2,"y"]`)
	send(wire.Malformed, good) // without content type and encoding
	send(wire.Malformed, good, asJSON)
	send(wire.Malformed, good, asLines, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") })
	send(wire.Malformed, nil, asLines)
	send(wire.Malformed, []byte("not a frame"), asLines)
	for _, cut := range []int{1, 5, len(good) / 2, len(good) - 4, len(good) - 1} {
		send(wire.Malformed, good[:cut], asLines)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-2] ^= 0xff // in the frame's checksum
	send(wire.Malformed, flipped, asLines)
	send(wire.Malformed, frame(t, h, `["9",1,"x"]`), asLines)
	send(wire.Malformed, frame(t, h, `["9",1,"x"]`, `["9",2,"y"]`, `["9",3,"z"]`), asLines)
	head, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	send(wire.Malformed, compress(t, append(append(head, '\n'), "[\"9\",1,\"x\"]\n[\"9\",2,\"y\"]"...)), asLines) // the last line has no end

	h.Rows = 1
	if head, err = json.Marshal(h); err != nil {
		t.Fatal(err)
	}
	send(wire.TooLarge, bomb(append(head, "\n[\"9\",1,\""...), 512<<20), asLines)
	s.unchanged(t)
}

// bomb is a frame of start and then size letters, which are a few bytes for
// every 128 KiB of them (RFC 8878, 3.1.1.2: an RLE block).
func bomb(start []byte, size int) []byte {
	const (
		most     = 128 << 10
		raw, rle = 0 << 1, 1 << 1
	)
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3} // a window of 1 MiB, no checksum
	block := func(head int, content ...byte) {
		frame = append(append(frame, byte(head), byte(head>>8), byte(head>>16)), content...)
	}
	block(len(start)<<3|raw, start...)
	for ; size > most; size -= most {
		block(most<<3|rle, 'x')
	}
	block(size<<3|rle|1, 'x')
	return frame
}

// testLate sends what goes wrong behind many rows that were right: a server
// that applies as it reads must undo them.
func testLate(t *testing.T, s *site) {
	const n = 5_000
	lines := make([]string, n, n+1)
	for i := range lines {
		lines[i] = fmt.Sprintf(`["%d",%d,"row number %d"]`, i+2, i+2, i+2)
	}
	bodies := func(h wire.Header) map[string][]byte {
		good := frame(t, h, lines...)
		more := h
		more.Rows++
		return map[string][]byte{
			"cut in the last block":  good[:len(good)-20],
			"cut in the checksum":    good[:len(good)-1],
			"one row too few":        frame(t, more, lines...),
			"the last row is short":  frame(t, more, append(lines, `["9",1]`)...),
			"the last is no row":     frame(t, more, append(lines, `x`)...),
			"the last is not UTF-8":  frame(t, more, append(lines, "[\"9\",1,\"\xff\"]")...),
			"the last version is no": frame(t, more, append(lines, `["-9",1,"x"]`)...),
		}
	}
	h := s.header(wire.Load, n)
	h.Start = true
	for name, body := range bodies(h) { // into an empty table
		s.do(t, http.MethodPost, s.path("/rows"), body, asLines).problem(t, wire.Malformed)
		if v := s.read(t); v != s.version {
			t.Errorf("%s: version %+v, want %+v", name, v, s.version)
		}
	}
	if a := s.load(t, `["1",1,"a"]`); a.Inserted != 1 || a.Version.Rows != 1 {
		t.Errorf("a table that took nothing: %+v", a)
	}
	for name, body := range bodies(s.header(wire.Delta, n)) {
		s.do(t, http.MethodPost, s.path("/rows"), body, asLines).problem(t, wire.Malformed)
		if v := s.read(t); v != s.version {
			t.Errorf("%s: version %+v, want %+v", name, v, s.version)
		}
	}
	s.unchanged(t)
}

func testHeaders(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	long := strings.Repeat("x", wire.MaxCursor+1)
	zero := "a\x00b"
	for name, spoil := range map[string]func(*wire.Header){
		"protocol":      func(h *wire.Header) { h.Protocol = 2 },
		"kind":          func(h *wire.Header) { h.Kind = "merge" },
		"seq":           func(h *wire.Header) { h.Seq = 0 },
		"id":            func(h *wire.Header) { h.ID = "1" },
		"writer":        func(h *wire.Header) { h.Writer = wire.Writer{} },
		"epoch":         func(h *wire.Header) { h.Epoch = "" },
		"long cursor":   func(h *wire.Header) { h.Cursor = &long },
		"zero in marks": func(h *wire.Header) { h.Marks = &zero },
		"negative rows": func(h *wire.Header) { h.Rows = -1 },
		"start":         func(h *wire.Header) { h.Start = true },
		"columns":       func(h *wire.Header) { h.Columns = []string{"c", "id"} },
		"no columns":    func(h *wire.Header) { h.Columns = nil },
	} {
		h := s.header(wire.Delta, 0)
		spoil(&h)
		t.Run(name, func(t *testing.T) { s.post(t, http.MethodPost, "/rows", h).problem(t, wire.Malformed) })
	}
	for _, head := range []string{"", "null", "[]", "{", "{}", `{"v":1}`, `{"v":"1"}`, `{"v":1,"unknown":1}`, "\xff"} {
		s.do(t, http.MethodPost, s.path("/rows"), compress(t, []byte(head+"\n")), asLines).problem(t, wire.Malformed)
	}
	h := s.header(wire.Delta, 1<<30)
	s.post(t, http.MethodPost, "/rows", h).problem(t, wire.TooLarge)
	s.unchanged(t)
}

func testLines(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	for _, line := range []string{"", "[]", "{}", "null", "7", `["9"]`, `["9",2]`, `["9",2,"x",3]`, `[9,2,"x"]`, `["",2,"x"]`, `["-1",2,"x"]`, `["09",2,"x"]`,
		`["18446744073709551616",2,"x"]`, `["9@1",2,"x"]`, `["9",2,"x"`, `["9",2,"x"]]`, `["9",2,x]`, `["9", 2,"x"]`, "[\"9\",2,\"\xff\"]", `["9",2,"\ud800"]`,
		"[\"9\",2,\"\x01\"]", `["9",02,"x"]`, `["9",2,["x"]]`} {
		a := s.post(t, http.MethodPost, "/rows", s.header(wire.Delta, 2), `["9",1,"good"]`, line)
		a.problem(t, wire.Malformed)
	}
	for _, line := range []string{`["9"]`, `["9",1,"c"]`, `["x",1]`, `["9@",1]`, `["9@0",1]`, `["9@x",1]`, `[9,1]`} {
		s.post(t, http.MethodDelete, "/rows", s.header(wire.Delete, 2), `["1",1]`, line).problem(t, wire.Malformed)
	}
	s.unchanged(t)
}
