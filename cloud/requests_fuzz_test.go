package cloud_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/sqlite"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// Whatever comes with a customer's key is answered, and never as the server's
// own fault; what is refused is so by a problem document; and another
// customer's tables stay as they are.
func FuzzRequests(f *testing.F) {
	store, err := sqlite.Open(f.Context(), filepath.Join(f.TempDir(), "cloud.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = store.Close() })
	secret := ""
	for _, id := range []string{"globex", "acme"} {
		var key cloud.Key
		secret, key = cloud.NewKey(id, time.Now())
		if err := store.AddCustomer(f.Context(), cloud.Customer{ID: id, Created: time.Now()}, key); err != nil {
			f.Fatal(err)
		}
		if _, err := store.Register(f.Context(), id, "t", simple); err != nil {
			f.Fatal(err)
		}
	}
	server := cloud.New(cloud.Config{Store: store})
	theirs, err := store.VersionsToken(f.Context(), "globex")
	if err != nil {
		f.Fatal(err)
	}

	text := func(v any, lines ...string) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		for _, l := range lines {
			b = append(append(b, '\n'), l...)
		}
		if len(lines) > 0 {
			b = append(b, '\n')
		}
		return b
	}
	message := func(write func(io.Writer) error) []byte {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	const of = "/v1/customers/acme/"
	mark, nul := uint64(9), "\x00"
	batch := wire.Header{Protocol: wire.Protocol, Kind: wire.Load, Seq: 1, ID: strings.Repeat("a", 32), Writer: wire.Writer{ID: "w"}, Epoch: "e",
		Schema: simple.Fingerprint(), Columns: []string{"id", "c"}, Rows: 2, Start: true, Complete: true, Watermark: &mark}
	f.Add("POST", of+"tables/t/rows", wire.ContentType, true, text(batch, `["1",1,"a"]`, `["9",2,null]`))
	batch.Marks, batch.Epoch, batch.Writer.Name = &nul, nul, nul
	f.Add("POST", of+"tables/t/rows", wire.ContentType, true, text(batch, `["1",1,"a"]`, `["9",2,null]`))
	f.Add("DELETE", of+"tables/t/rows", wire.ContentType, true, text(wire.Header{Protocol: wire.Protocol, Kind: wire.Delete, Seq: 2, ID: strings.Repeat("b", 32),
		Writer: wire.Writer{ID: "w"}, Epoch: "e", Schema: simple.Fingerprint(), Rows: 1}, `["9",2]`))
	f.Add("DELETE", of+"tables/t/rows?writer=w&seq=7", "", false, []byte(nil))
	f.Add("PUT", of+"tables/u/schema", "application/json", false, text(simple))
	f.Add("PUT", of+"report", "application/json", false, text(wire.Report{Time: time.Unix(1, 0), Tables: []wire.TableReport{{Name: "t", State: "ok"}}}))
	for _, h := range []wire.ManifestHeader{{Mode: wire.Compare, Rows: 1}, {Mode: wire.List, Limit: 10}} {
		h.Protocol, h.Epoch, h.Schema = wire.Protocol, "e", simple.Fingerprint()
		f.Add("POST", of+"tables/t/manifest", wire.ContentType, true, text(h, []string{`["1",1]`}[:h.Rows]...))
	}
	f.Add("POST", of+"tables/t/manifest", wire.SummaryType, true, message(func(w io.Writer) error {
		return summary.WriteCompareQuestion(w, summary.CompareQuestion{Layout: 1, Salt: 1, Width: 4, Leaves: []summary.LeafPrints{{Prints: []uint64{7}}}})
	}))
	f.Add("POST", of+"tables/t/summary", wire.SummaryType, true, message(func(w io.Writer) error {
		return summary.WriteLeavesQuestion(w, summary.LeavesQuestion{Layout: 1, Width: 4, Nodes: []summary.Node{0, 7}})
	}))
	for _, path := range []string{"versions", "policy", "tables/t", "tables/t/summary?width=16", "tables/%2e%2e/rows", "tables/a%2Fb", "../globex/tables/t", "tables/t/%2e%2e/t"} {
		f.Add("GET", of+path, "", false, []byte(nil))
	}
	f.Add("DELETE", "/v1/customers/globex/tables/t/rows?writer=w", "", false, []byte(nil))
	f.Add("POST", "/v1/enroll", "application/json", false, []byte(`{"code":"acme-7K3QP-9XFMA-2WPDC-HT4VB"}`))
	f.Fuzz(func(t *testing.T, method, path, kind string, framed bool, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://cloud.example"+path, nil)
		if err != nil || r.URL.Host != "cloud.example" {
			return
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", kind)
		if framed {
			head, lines, _ := bytes.Cut(body, []byte("\n"))
			b, err := wire.EncodeLines(nil, append(head, '\n'))
			if err == nil {
				b, err = wire.EncodeLines(b, lines)
			}
			if err != nil {
				t.Fatal(err)
			}
			body = b
			r.Header.Set("Content-Encoding", "zstd")
		}
		r.Body, r.ContentLength, r.RemoteAddr = io.NopCloser(bytes.NewReader(body)), int64(len(body)), fmt.Sprintf("192.0.2.%d:1", len(path)%250)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if w.Code >= 400 && !json.Valid(w.Body.Bytes()) && method != http.MethodHead {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if now, err := store.VersionsToken(t.Context(), "globex"); err != nil || now != theirs {
			t.Fatalf("%s %s: the other customer's versions are %q, and were %q (%v)", method, path, now, theirs, err)
		}
	})
}
