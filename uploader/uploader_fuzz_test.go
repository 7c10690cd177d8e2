package uploader_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/differ/summary"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

// Whatever a cloud answers, every call ends by its deadline, in an answer that
// keeps to what was asked or in an error that can be told.
func FuzzAnswers(f *testing.F) {
	const week = 7 * 24 * time.Hour
	lease := wire.Lease{Hold: time.Hour, Return: time.Minute, Every: time.Minute, Pace: time.Second}.String()
	version := wire.Version{Epoch: "e1", Seq: 7, Watermark: 9, Rows: 1, Loaded: true, Schema: "s1"}
	schema := wire.Schema{Columns: []wire.Column{{Name: "id", Type: wire.Type{Kind: wire.Int}}}, Key: []string{"id"}, Versioning: wire.ByRowVersion}
	for _, doc := range []any{
		wire.Versions{Tables: map[string]wire.Version{"dbo.t": version}},
		wire.Policy{Tables: map[string]wire.TablePolicy{"dbo.t": {Disabled: true, Reason: "r"}}},
		wire.Table{Name: "dbo.t", Schema: schema, Version: version},
		wire.Answer{Version: version, Inserted: 1, Refused: []wire.Refusal{{Row: 0, Reason: "r"}}},
		wire.Comparison{Version: version, Missing: []int{0}},
		wire.Reported{Tag: `"t"`, Tables: map[string]wire.Version{"dbo.t": version}},
		wire.Enrolled{Customer: "acme", Key: "tmk_acme_1"},
	} {
		text, err := json.Marshal(doc)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, "application/json", "", lease, false, text)
	}
	for _, code := range []wire.Code{wire.WrongSequence, wire.Overloaded, wire.Unauthorized, wire.TooLarge, wire.Malformed} {
		p := wire.NewProblem(code, "d", "h")
		p.Version = &version
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.Status, wire.ProblemType, "30", "", false, text)
	}
	head, err := json.Marshal(wire.ListHeader{Version: version, Rows: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(200, wire.ContentType, "", "", true, append(head, "\n[\"1\",1]\n"...))
	var tree bytes.Buffer
	if err := summary.WriteTree(&tree, &summary.Tree{Layout: summary.Layout{Number: 1, Kind: summary.Hashed}, Width: 4}); err != nil {
		f.Fatal(err)
	}
	f.Add(200, wire.SummaryType, "", "", true, tree.Bytes())
	f.Add(503, "text/html", "Wed, 21 Oct 2999 07:28:00 GMT", "hold=1e300", false, []byte("<html>"))
	f.Add(429, "application/json", "99999999999999999999", "hold=-1", true, []byte("{"))
	f.Add(304, "", "", lease, false, []byte(nil))
	f.Add(302, "", "", "", false, []byte(nil))
	f.Fuzz(func(t *testing.T, status int, kind, after, lease string, framed bool, body []byte) {
		if status < 100 || status > 999 {
			return
		}
		header2 := header(2)
		header := http.Header{"Content-Type": {kind}, "Retry-After": {after}, "Etag": {`"t"`}, "Location": {"https://elsewhere.example/"}, wire.HeaderLease: {lease}}
		if framed {
			var err error
			if body, err = wire.EncodeLines(nil, body); err != nil {
				t.Fatal(err)
			}
			header.Set("Content-Encoding", "zstd")
		}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			answers := transport(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != "cloud.example" {
					t.Errorf("the client went to %s", r.URL)
				}
				return &http.Response{StatusCode: status, Header: header.Clone(), Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
			})
			for i, call := range []func(*uploader.Client) error{
				func(c *uploader.Client) error {
					v, err := c.Versions(ctx)
					if err == nil && status != 304 && v.Tables == nil {
						t.Error("versions without tables")
					}
					return err
				},
				func(c *uploader.Client) error { _, err := c.Policy(ctx); return err },
				func(c *uploader.Client) error { _, err := c.Table(ctx, "dbo.t"); return err },
				func(c *uploader.Client) error { _, err := c.Register(ctx, "dbo.t", schema); return err },
				func(c *uploader.Client) error {
					a, err := c.Send(ctx, "dbo.t", header2, zipped(append(line, line...)))
					if err == nil && a.Version.Seq != 7 {
						t.Errorf("the answer to another batch: %+v", a)
					}
					for _, r := range a.Refused {
						if r.Row < 0 || r.Row >= 2 {
							t.Errorf("row %d of 2 is refused", r.Row)
						}
					}
					return err
				},
				func(c *uploader.Client) error {
					_, err := c.DropAll(ctx, "dbo.t", uploader.Drop{Writer: wire.Writer{ID: "w"}})
					return err
				},
				func(c *uploader.Client) error {
					a, err := c.Compare(ctx, "dbo.t", wire.ManifestHeader{Protocol: wire.Protocol, Mode: wire.Compare, Epoch: "e1", Rows: 1}, line)
					for _, at := range append(a.Missing, a.Stale...) {
						if at != 0 {
							t.Errorf("row %d of 1", at)
						}
					}
					return err
				},
				func(c *uploader.Client) error {
					out := wire.Lines{Buf: []byte("before\n"), N: 1}
					_, err := c.List(ctx, "dbo.t", wire.ManifestHeader{Protocol: wire.Protocol, Mode: wire.List, Epoch: "e1", Limit: 10}, &out)
					if n := bytes.Count(out.Buf, []byte("\n")); n != out.N || err != nil && n != 1 {
						t.Errorf("%d lines, said to be %d, with %v", n, out.N, err)
					}
					return err
				},
				func(c *uploader.Client) error { _, err := c.Report(ctx, wire.Report{}); return err },
				func(c *uploader.Client) error {
					return c.Summary(ctx, "dbo.t", 4, func(r io.Reader) error { _, err := summary.ReadTree(r); return err })
				},
			} {
				c := client(t, answers, func(c *uploader.Config) { c.Timeouts.Stall = time.Minute })
				err := call(c)
				if err == nil && (status < 200 || status > 299) && status != 304 {
					t.Errorf("call %d: status %d is no error", i, status)
				}
				if err != nil {
					_, _ = err.Error(), fault.Hint(err)
				}
				if l := c.Lease(); max(l.Hold, l.Return, l.Every, l.Pace) > week || min(l.Hold, l.Return, l.Every, l.Pace) < 0 {
					t.Errorf("it believes %v", l)
				}
			}
			_, err := uploader.Enroll(ctx, uploader.Config{BaseURL: "https://cloud.example", Transport: answers}, "acme-AAAAA-AAAAA-AAAAA-AAAAA")
			if err == nil && status != 200 && status != 201 {
				t.Errorf("enrolled by status %d", status)
			}
			var stop *uploader.Stop
			if errors.As(err, &stop) {
				_ = stop.Error()
			}
		})
	})
}
