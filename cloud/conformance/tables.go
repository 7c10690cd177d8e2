package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
)

func testRegister(t *testing.T, s *site) {
	want := wire.Table{Name: s.table, Schema: s.schema, Version: wire.Version{Schema: s.schema.Fingerprint()}, Secret: s.secret}
	if d := cmp.Diff(want, s.register(t)); d != "" {
		t.Errorf("registered again: %s", d)
	}
	var got wire.Table
	s.do(t, http.MethodGet, s.path(""), nil).document(t, &got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("read: %s", d)
	}
	other := s.Options.site(s.table + " of its own")
	if other.register(t); s.secret != "" && (len(s.secret) != 32 || other.secret == s.secret) {
		t.Errorf("the secrets of two tables are %q and %q", s.secret, other.secret)
	}
	s.load(t, `["1",1,"a"]`)
	s.schema.Columns = append(s.schema.Columns, wire.Column{Name: "d", Type: wire.Type{Kind: wire.BigInt}, Nullable: true})
	if v := s.register(t).Version; v.Loaded || v.Cursor != "" || v.Rows != 1 || v.Seq != 1 || v.Epoch != s.epoch {
		t.Errorf("after a new column: %+v", v)
	}
	h := s.header(wire.Load, 1)
	mark := uint64(101)
	h.Complete, h.Watermark = true, &mark
	if a := s.send(t, h, `["1",1,"a","7"]`); a.Updated != 1 || !a.Version.Loaded {
		t.Errorf("a row sent anew for the column: %+v", a)
	}
	s.schema.Columns[0].Type.Kind = wire.BigInt
	if v := s.register(t).Version; !v.Loaded {
		t.Errorf("after a wider type: %+v", v)
	}
	if a := s.delta(t, `["2","1","b","8"]`); a.Updated != 1 || a.Inserted != 0 {
		t.Errorf("the key is the same after its type was widened: %+v", a)
	}
}

func testConflict(t *testing.T, s *site) {
	good := s.version
	s.schema.Columns[1].Type = wire.Type{Kind: wire.Bit}
	body, err := json.Marshal(s.schema)
	if err != nil {
		t.Fatal(err)
	}
	p := s.do(t, http.MethodPut, s.path("/schema"), body, asJSON).problem(t, wire.SchemaConflict)
	if !strings.Contains(p.Detail, `"c"`) || p.Hint == "" {
		t.Errorf("the problem does not tell which column and what to do: %q (%q)", p.Detail, p.Hint)
	}
	if v := s.read(t); v != good {
		t.Errorf("version %+v after a refused schema, was %+v", v, good)
	}
}

func testDocuments(t *testing.T, s *site) {
	good, err := json.Marshal(s.schema)
	if err != nil {
		t.Fatal(err)
	}
	put := func(code wire.Code, body string, change ...func(*http.Request)) {
		t.Helper()
		s.do(t, http.MethodPut, s.path("/schema"), []byte(body), change...).problem(t, code)
	}
	put(wire.Malformed, string(good)) // without a content type
	for _, body := range []string{"", "{", "null", "[]", "7", string(good) + "{}", strings.Replace(string(good), `"int"`, `"integer"`, 1),
		strings.Replace(string(good), `"key":["id"]`, `"key":["x"]`, 1), strings.Replace(string(good), `"key":["id"]`, `"key":["c"]`, 1),
		strings.Replace(string(good), `{`, `{"new":1,`, 1), strings.Replace(string(good), `"c"`, "\"\xff\"", 1), strings.Replace(string(good), `"c"`, `"\u0000"`, 1)} {
		put(wire.Malformed, body, asJSON)
	}
	put(wire.TooLarge, `{"columns":"`+strings.Repeat("x", 8<<20)+`"}`, asJSON)
}

func testVersions(t *testing.T, s *site) {
	s.load(t, `["1",1,"a"]`)
	a := s.do(t, http.MethodGet, s.url("/versions"), nil)
	var all wire.Versions
	a.document(t, &all)
	if all.Tables[s.table] != s.version {
		t.Errorf("versions say %+v, the answer was %+v", all.Tables[s.table], s.version)
	}
	tag := a.header.Get("ETag")
	cached := func(r *http.Request) { r.Header.Set("If-None-Match", tag) }
	if again := s.do(t, http.MethodGet, s.url("/versions"), nil, cached); tag == "" || again.status != http.StatusNotModified || len(again.body) != 0 {
		t.Errorf("ETag %q: status %d", tag, again.status)
	}
	s.delta(t, `["2",1,"b"]`)
	if again := s.do(t, http.MethodGet, s.url("/versions"), nil, cached); again.status != http.StatusOK || again.header.Get("ETag") == tag {
		t.Errorf("after a change: status %d, ETag %q, was %q", again.status, again.header.Get("ETag"), tag)
	}
}

func testPolicy(t *testing.T, s *site) {
	a := s.do(t, http.MethodGet, s.url("/policy"), nil)
	var p wire.Policy
	a.document(t, &p)
	tag := a.header.Get("ETag")
	if tag == "" {
		t.Fatal("a policy without an ETag")
	}
	if again := s.do(t, http.MethodGet, s.url("/policy"), nil, func(r *http.Request) { r.Header.Set("If-None-Match", `"x", W/`+tag) }); again.status != http.StatusNotModified {
		t.Errorf("status %d", again.status)
	}
	if got := s.do(t, http.MethodGet, s.path(""), nil).header.Get(wire.HeaderPolicy); got != tag {
		t.Errorf("%s is %q in another answer, the policy's ETag is %q", wire.HeaderPolicy, got, tag)
	}
}
