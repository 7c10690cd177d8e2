package uploader_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/internal/wire"
	"tidemark/uploader"
)

func TestRequests(t *testing.T) {
	table := `{"name":"dbo.a b/c","version":{"epoch":"","seq":"0","watermark":"0","rows":0,"loaded":false,"schema":"s"},"schema":{"columns":[{"name":"id","type":"int"}],"key":["id"],"versioning":"rowversion"}}`
	page, err := wire.EncodeBody(nil, wire.ListHeader{Version: wire.Version{Epoch: "e1"}, Rows: 2, Next: "n"}, []byte("[\"1\",1]\n[\"2\",2]\n"))
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(4)
	list := wire.ManifestHeader{Protocol: 1, Mode: wire.List, Epoch: "e1", Limit: 2}
	tests := []struct {
		name   string
		answer *http.Response
		call   func(*uploader.Client) error
		want   string
	}{
		{"versions", versions(), func(c *uploader.Client) error { _, err := c.Versions(t.Context()); return err },
			"GET /api/v1/customers/acme/versions"},
		{"policy", answer(200, "application/json", `{"paused":true}`), func(c *uploader.Client) error {
			p, err := c.Policy(t.Context())
			if err == nil && !p.Paused {
				err = fmt.Errorf("policy %+v", p)
			}
			return err
		}, "GET /api/v1/customers/acme/policy"},
		{"table", answer(200, "application/json; charset=utf-8", table), func(c *uploader.Client) error { _, err := c.Table(t.Context(), "dbo.a b/c"); return err },
			"GET /api/v1/customers/acme/tables/dbo.a%20b%2Fc"},
		{"register", answer(200, "application/json", table), func(c *uploader.Client) error {
			got, err := c.Register(t.Context(), "dbo.a b/c", wire.Schema{})
			if err == nil && got.Version.Schema != "s" {
				err = fmt.Errorf("table %+v", got)
			}
			return err
		}, "PUT /api/v1/customers/acme/tables/dbo.a%20b%2Fc/schema application/json"},
		{"rows", applied(), func(c *uploader.Client) error {
			_, err := c.Send(t.Context(), "t", header(1), zipped(line))
			return err
		},
			"POST /api/v1/customers/acme/tables/t/rows application/x-ndjson zstd"},
		{"deletes", applied(), func(c *uploader.Client) error {
			_, err := c.Delete(t.Context(), "t", header(1), zipped(line))
			return err
		},
			"DELETE /api/v1/customers/acme/tables/t/rows application/x-ndjson zstd"},
		{"drop", answer(200, "application/json", `{"version":{},"deleted":3}`), func(c *uploader.Client) error {
			a, err := c.DropAll(t.Context(), "t", uploader.Drop{Writer: wire.Writer{ID: "w", Name: "n", Run: "r"}, Seq: &seq})
			if err == nil && a.Deleted != 3 {
				err = fmt.Errorf("answer %+v", a)
			}
			return err
		}, "DELETE /api/v1/customers/acme/tables/t/rows?seq=4&writer=w&writer_name=n&writer_run=r"},
		{"compare", answer(200, "application/json", `{"version":{"epoch":"e1"},"missing":[0,2],"stale":[1]}`), func(c *uploader.Client) error {
			got, err := c.Compare(t.Context(), "t", wire.ManifestHeader{Epoch: "e1", Mode: wire.Compare, Rows: 3}, nil)
			if diff := cmp.Diff(wire.Comparison{Version: wire.Version{Epoch: "e1"}, Missing: []int{0, 2}, Stale: []int{1}}, got); err == nil && diff != "" {
				err = fmt.Errorf("comparison: %s", diff)
			}
			return err
		}, "POST /api/v1/customers/acme/tables/t/manifest application/x-ndjson zstd"},
		{"list", answer(200, wire.ContentType, string(page), "Content-Encoding", "zstd"), func(c *uploader.Client) error {
			out := wire.Lines{Buf: []byte("x\n"), N: 1}
			h, err := c.List(t.Context(), "t", list, &out)
			if err == nil && (h.Next != "n" || string(out.Buf) != "x\n[\"1\",1]\n[\"2\",2]\n" || out.N != 3) {
				err = fmt.Errorf("page %+v, lines %q", h, out.Buf)
			}
			return err
		}, "POST /api/v1/customers/acme/tables/t/manifest application/x-ndjson zstd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			ids := map[string]bool{}
			c := client(t, func(r *http.Request) (*http.Response, error) {
				got = strings.TrimSpace(strings.Join([]string{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding")}, " "))
				ids[r.Header.Get(wire.HeaderRequestID)] = true
				if r.Header.Get("Authorization") != "Bearer tmk_acme_1" || r.Header.Get("User-Agent") != "tidemark" {
					t.Errorf("header %v", r.Header)
				}
				return tt.answer, nil
			})
			if err := tt.call(c); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("asked %q, want %q", got, tt.want)
			}
			if ids[""] || len(ids) != 1 {
				t.Errorf("request ids %v", ids)
			}
		})
	}
}

func TestETags(t *testing.T) {
	var asked []string
	c := client(t, func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]+" "+r.Header.Get("If-None-Match"))
		policy := `"p1"`
		if len(asked) >= 4 {
			policy = `"p2"`
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/policy"):
			return answer(200, "application/json", `{}`, "ETag", policy, wire.HeaderPolicy, policy), nil
		case r.Header.Get("If-None-Match") == `"v1"`:
			return answer(304, "", "", "ETag", `"v1"`, wire.HeaderPolicy, policy), nil
		}
		return answer(200, "application/json", `{"tables":{"t":{"epoch":"e1","seq":"3","watermark":"9","rows":1,"loaded":true,"schema":"s"}}}`, "ETag", `"v1"`, wire.HeaderPolicy, policy), nil
	})
	ask := func() {
		t.Helper()
		v, err := c.Versions(t.Context())
		if err != nil || v.Tables["t"].Seq != 3 {
			t.Fatalf("versions %+v, %v", v, err)
		}
		delete(v.Tables, "t") // the caller's own
	}
	policy := func(changed bool) {
		t.Helper()
		if c.PolicyChanged() != changed {
			t.Errorf("policy changed: %t", !changed)
		}
	}
	policy(false)
	ask()
	policy(true) // it was never asked for
	if _, err := c.Policy(t.Context()); err != nil {
		t.Fatal(err)
	}
	policy(false)
	ask()
	policy(false)
	ask()
	policy(true)
	want := []string{"versions ", "policy ", `versions "v1"`, `versions "v1"`}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// TestReport sends reports, each with the tag of the versions known, whatever
// they came with. A cloud that takes none refuses nothing by that.
func TestReport(t *testing.T) {
	var asked []string
	answers := []*http.Response{
		answer(200, "application/json", `{"versions_tag":"\"v1\"","tables":{"t":{"epoch":"e1","seq":"3","watermark":"9","rows":1,"loaded":true,"schema":"s"}}}`,
			wire.HeaderLease, "hold=3600, return=60, every=1800, pace=300"),
		answer(200, "application/json", `{"versions_tag":"\"v1\""}`),
		answer(304, "", "", "ETag", `"v1"`),
		answer(200, "application/json", `{"versions_tag":"\"v2\""}`), // the customer has no tables any more
		answer(404, "text/html", "no such page"),
		answer(405, wire.ProblemType, `{"type":"x","title":"x","status":405,"code":"not-found"}`),
		answer(304, "", "", "ETag", `"v2"`),
	}
	c := client(t, func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Method+" "+r.Header.Get(wire.HeaderVersions)+r.Header.Get("If-None-Match"))
		return answers[len(asked)-1], nil
	})
	if l := c.Lease(); !l.Told.IsZero() {
		t.Errorf("a lease that nobody told: %+v", l)
	}
	report := func(seq uint64, want error) {
		t.Helper()
		v, err := c.Report(t.Context(), wire.Report{Time: time.Now()})
		if !errors.Is(err, want) || v.Tables["t"].Seq != seq {
			t.Errorf("%+v, %v", v, err)
		}
	}
	versions := func(seq uint64) {
		t.Helper()
		if v, err := c.Versions(t.Context()); err != nil || v.Tables["t"].Seq != seq {
			t.Errorf("%+v, %v", v, err)
		}
	}
	report(3, nil)
	if l := c.Lease(); l.Told.IsZero() || l.Return != time.Minute {
		t.Errorf("lease %+v", l)
	}
	report(3, nil)
	versions(3)
	report(0, nil)
	report(0, uploader.ErrNoReports)
	report(0, uploader.ErrNoReports)
	versions(0)
	want := []string{"PUT ", `PUT "v1"`, `GET "v1"`, `PUT "v1"`, `PUT "v2"`, `PUT "v2"`, `GET "v2"`}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if s := c.State(); s.Away || s.Refused != nil {
		t.Errorf("%+v", s)
	}
}
