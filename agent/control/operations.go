package control

import (
	"context"
	"net/http"

	"tidemark/agent"
	"tidemark/agent/journal"
	"tidemark/agent/state"
)

// operations maps the names of the protocol to those of the agent.
func operations(c agent.Control) http.Handler {
	mux := http.NewServeMux()
	serve(mux, "status", func(ctx context.Context, _ request) (agent.Status, error) { return c.Status(ctx) })
	serve(mux, "explain", func(ctx context.Context, in request) (agent.Explanation, error) { return c.Explain(ctx, in.Table) })
	serve(mux, "journal", func(ctx context.Context, in request) ([]journal.Entry, error) {
		return c.Journal(ctx, in.Table, in.N)
	})
	serve(mux, "quarantine", func(ctx context.Context, in request) ([]agent.QuarantinedRow, error) {
		return c.Quarantine(ctx, in.Table)
	})
	serve(mux, "sync", func(ctx context.Context, in request) (agent.SyncReport, error) { return c.Sync(ctx, in.Table) })
	serve(mux, "diff", func(ctx context.Context, in request) (agent.DiffReport, error) {
		return c.Diff(ctx, in.Table, in.DryRun)
	})
	serve(mux, "approve", func(ctx context.Context, in request) (agent.Approval, error) { return c.Approve(ctx, in.Table) })
	serve(mux, "pause", func(ctx context.Context, in request) (nothing, error) {
		return nothing{}, c.Pause(ctx, in.Table, in.Reason)
	})
	serve(mux, "resume", func(ctx context.Context, in request) (nothing, error) { return nothing{}, c.Resume(ctx, in.Table) })
	serve(mux, "retry", func(ctx context.Context, in request) (int, error) { return c.RetryQuarantine(ctx, in.Table, in.Keys) })
	serve(mux, "drop", func(ctx context.Context, in request) (int, error) { return c.DropQuarantine(ctx, in.Table, in.Keys) })
	serve(mux, "reload", func(ctx context.Context, _ request) (nothing, error) { return nothing{}, c.Reload(ctx) })
	serve(mux, "process", process)
	if t, ok := c.(interface {
		Statistics(context.Context) (state.Statistics, error)
	}); ok {
		serve(mux, "statistics", func(ctx context.Context, _ request) (state.Statistics, error) { return t.Statistics(ctx) })
	}
	return mux
}
