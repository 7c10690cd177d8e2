package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/internal/fault"
)

// obedient does as it is told, which is nothing.
type obedient struct{}

func (obedient) Status(context.Context) (agent.Status, error) { return agent.Status{}, nil }
func (obedient) Explain(_ context.Context, t string) (agent.Explanation, error) {
	return agent.Explanation{Table: t}, nil
}
func (obedient) Journal(_ context.Context, t string, _ int) ([]journal.Entry, error) {
	return []journal.Entry{{Table: t}}, nil
}
func (obedient) Quarantine(_ context.Context, t string) ([]agent.QuarantinedRow, error) {
	return []agent.QuarantinedRow{{Table: t}}, nil
}
func (obedient) Sync(_ context.Context, t string) (agent.SyncReport, error) {
	return agent.SyncReport{}, fault.New(t, agent.ErrNoTable, t)
}
func (obedient) Diff(_ context.Context, t string, dry bool) (agent.DiffReport, error) {
	return agent.DiffReport{Table: t, DryRun: dry}, nil
}
func (obedient) Approve(context.Context, string) (agent.Approval, error) {
	return agent.Approval{}, agent.ErrNoApproval
}
func (obedient) Pause(context.Context, string, string) error { return nil }
func (obedient) Resume(context.Context, string) error        { return nil }
func (obedient) RetryQuarantine(_ context.Context, _ string, keys []string) (int, error) {
	return len(keys), nil
}
func (obedient) DropQuarantine(_ context.Context, _ string, keys []string) (int, error) {
	return len(keys), nil
}
func (obedient) Reload(context.Context) error { return nil }

// Whatever is asked is answered with JSON, or has no such operation.
func FuzzRequests(f *testing.F) {
	operations := operations(obedient{})
	for _, name := range []string{"status", "explain", "journal", "quarantine", "sync", "diff", "approve", "pause", "resume", "retry", "drop", "reload", "process"} {
		f.Add(http.MethodPost, "/v1/"+name, []byte(`{"table":"dbo.t","n":3,"dry_run":true,"reason":"r","keys":["[1]","[\"a\"]"]}`))
	}
	f.Add(http.MethodGet, "/v1/status", []byte(nil))
	f.Add(http.MethodPost, "/v1/../v1//drop?table=x", []byte(`{"table":7}`))
	f.Add(http.MethodPost, "/v1/drop", []byte(`{"keys":[[[[[[[[`))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://agent"+path, bytes.NewReader(body))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		operations.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusConflict:
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusTemporaryRedirect, http.StatusMovedPermanently:
			return
		default:
			t.Fatalf("%s %q is answered with %d: %s", method, path, w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s %q is answered with %q", method, path, w.Body)
		}
	})
}

// What listens on the socket need not be an agent: whatever it answers is an
// answer or an error that can be told.
func FuzzAnswers(f *testing.F) {
	for _, v := range []any{agent.Status{SchemaVersion: 1, Tables: []agent.TableStatus{{Name: "dbo.a"}}}, failure{Kind: "no-table", Message: "m", Hint: "h"}, []journal.Entry{{Rule: 3}}} {
		text, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(200, text)
		f.Add(404, text)
	}
	f.Add(500, []byte("<html>"))
	f.Add(200, []byte(`{"tables":[{"name":null}]}{}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		c := &Client{path: "socket", http: &http.Client{Transport: answers{status, body}}}
		ctx := t.Context()
		for _, ask := range []func() error{
			func() error { _, err := c.Status(ctx); return err },
			func() error { _, err := c.Explain(ctx, "t"); return err },
			func() error { _, err := c.Journal(ctx, "t", 1); return err },
			func() error { _, err := c.Quarantine(ctx, "t"); return err },
			func() error { _, err := c.Diff(ctx, "t", true); return err },
			func() error { return c.Pause(ctx, "t", "r") },
		} {
			if err := ask(); err != nil {
				_, _ = err.Error(), fault.Hint(err)
			} else if status != http.StatusOK {
				t.Fatalf("an answer of status %d is no error", status)
			}
		}
	})
}

type answers struct {
	status int
	body   []byte
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{Status: "as it is", StatusCode: a.status, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}
