package cloud_test

import (
	"bytes"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// Bodies that are small when they are sent and large when they are understood
// are refused, for less memory than they want.
func TestBombs(t *testing.T) {
	s := newSite(t, cloud.Config{})
	frame := func(text string) []byte {
		b, err := wire.EncodeLines(nil, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	zeros := frame(strings.Repeat("0", 64<<20)) // in a few KiB
	deep := strings.Repeat(`{"columns":[`, 50_000)
	asJSON := func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }
	schema := func(text string) func() answer {
		return func() answer {
			return s.do(t, http.MethodPut, "/v1/customers/acme/tables/u/schema", strings.NewReader(text), asJSON)
		}
	}
	rows := func(body []byte) func() answer { return func() answer { return s.post(t, body) } }
	for _, tt := range []struct {
		name string
		send func() answer
		code wire.Code
	}{
		{"a header that never ends", rows(zeros), wire.TooLarge},
		{"empty frames", rows(bytes.Repeat([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x00, 1, 0, 0}, 1<<20)), wire.Malformed},
		{"frames to skip", rows(bytes.Repeat([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 1<<20)), wire.Malformed},
		{"a frame to skip that is longer than the body", rows([]byte{0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff}), wire.Malformed},
		{"a frame that says it holds 2^63 bytes", rows([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0, 0}), wire.Malformed},
		{"a deep header", rows(frame(deep + "\n")), wire.Malformed},
		{"a long number in a header", rows(frame(`{"v":1,"rows":` + strings.Repeat("9", 1<<19) + "}\n")), wire.Malformed},
		{"a deep document", schema(deep), wire.Malformed},
		{"a long number", schema(`{"columns":` + strings.Repeat("9", 1<<19) + "}"), wire.Malformed},
		{"many columns", schema(`{"columns":[` + strings.Repeat(`{"name":"a","type":"int"},`, 30_000) + `{}],"key":["a"]}`), wire.Malformed},
		{"a name over and over", schema(`{"key":["a"],` + strings.Repeat(`"key":[],`, 100_000) + `"versioning":"rowversion"}`), wire.Malformed},
		{"more than a document may have", schema(`{"key":["` + strings.Repeat("a", 1<<20) + `"]}`), wire.TooLarge},
	} {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := tt.send()
		runtime.ReadMemStats(&after)
		a.problem(t, tt.code)
		if held := int64(after.HeapSys) - int64(before.HeapSys); held > 128<<20 {
			t.Errorf("%s: the heap grew by %d MiB", tt.name, held>>20)
		}
	}
	if a := s.post(t, s.batch(t, `["1",1,"a"]`)); a.StatusCode != 200 {
		t.Errorf("afterwards: %d %s", a.StatusCode, a.body)
	}
}

// A row's value cannot be a bomb: it is refused alone, and the rest applied.
func TestBombsInRows(t *testing.T) {
	s := newSite(t, cloud.Config{})
	a := s.post(t, s.batch(t, `["1",`+strings.Repeat("9", 1<<20)+`,"a"]`, `["1",2,"b"]`))
	if a.StatusCode != 200 || !strings.Contains(a.body, `"inserted":1`) || len(a.body) > 4<<10 {
		t.Errorf("a long number: %d %.300s", a.StatusCode, a.body)
	}
	s = newSite(t, cloud.Config{})
	for _, line := range []string{strings.Repeat("[", 1<<20), `["1",1,` + strings.Repeat(`{"a":`, 1<<18)} {
		s.post(t, s.batch(t, line)).problem(t, wire.Malformed)
	}
}
