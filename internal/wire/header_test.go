package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func goodHeader() Header {
	mark, cursor := uint64(1<<63), "c"
	return Header{Protocol: 1, Kind: Load, Seq: 1, ID: strings.Repeat("0a", 16), Writer: Writer{ID: "w"}, Epoch: "e", Schema: "s",
		Columns: []string{"id"}, Watermark: &mark, Cursor: &cursor, Complete: true}
}

func TestHeaderRoundTrip(t *testing.T) {
	want := goodHeader()
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"watermark":"9223372036854775808"`) {
		t.Errorf("watermark is not a string: %s", b)
	}
	var got Header
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
}

func TestHeaderCheck(t *testing.T) {
	long := strings.Repeat("x", MaxCursor+1)
	spoil := map[string]func(*Header){
		"protocol":        func(h *Header) { h.Protocol = 2 },
		"kind":            func(h *Header) { h.Kind = "x" },
		"seq":             func(h *Header) { h.Seq = 0 },
		"id":              func(h *Header) { h.ID = "zz" },
		"id digits":       func(h *Header) { h.ID = strings.Repeat("X", 32) },
		"writer":          func(h *Header) { h.Writer.ID = "" },
		"epoch":           func(h *Header) { h.Epoch = "" },
		"rows":            func(h *Header) { h.Rows = -1 },
		"cursor":          func(h *Header) { h.Cursor = &long },
		"marks":           func(h *Header) { h.Marks = &long },
		"no watermark":    func(h *Header) { h.Watermark = nil },
		"start of delta":  func(h *Header) { h.Kind, h.Complete, h.Start = Delta, false, true },
		"repair moves it": func(h *Header) { h.Kind, h.Complete = Repair, false },
	}
	for name, f := range spoil {
		h := goodHeader()
		f(&h)
		if h.Check() == nil {
			t.Errorf("%s: Check() = nil", name)
		}
	}
}

// A header of a newer protocol is refused for that, not for the first of its
// fields that is new.
func TestHeaderOfANewerProtocol(t *testing.T) {
	for line, want := range map[string]string{
		`{"v":2,"shard":"a"}`: "protocol 2 is not spoken here",
		`{"v":1,"shard":"a"}`: `unknown field "shard"`,
		`{"shard":"a"}`:       `unknown field "shard"`,
	} {
		body, err := EncodeHeader(nil, json.RawMessage(line))
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewBodyReader(bytes.NewReader(body), Limits{Body: 1 << 20, Line: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Header(new(Header)); !errors.Is(err, ErrBody) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
		r.Close()
	}
}
