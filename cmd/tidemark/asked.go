package main

import (
	"context"

	"go.uber.org/zap"

	"tidemark/agent"
)

// asked is a Control that tells the log what people ask for, and what came of
// it. Keys of rows are not told.
type asked struct {
	*agent.Agent
	log *zap.Logger
}

func (a asked) told(event, table string, err error, more ...zap.Field) {
	fields := append([]zap.Field{zap.String("table", orAll(table))}, more...)
	if err != nil {
		fields = append(fields, zap.NamedError("refused", err))
	}
	a.log.Info(event, fields...)
}

// Sync implements agent.Control.
func (a asked) Sync(ctx context.Context, table string) (agent.SyncReport, error) {
	e, err := a.Agent.Sync(ctx, table)
	a.told("asked.sync", table, err)
	return e, err
}

// Diff implements agent.Control.
func (a asked) Diff(ctx context.Context, table string, dryRun bool) (agent.DiffReport, error) {
	r, err := a.Agent.Diff(ctx, table, dryRun)
	a.told("asked.diff", table, err, zap.Bool("dry_run", dryRun))
	return r, err
}

// Approve implements agent.Control.
func (a asked) Approve(ctx context.Context, table string) (agent.Approval, error) {
	granted, err := a.Agent.Approve(ctx, table)
	a.told("asked.approve", table, err, zap.Int64("deletes", granted.Deletes))
	return granted, err
}

// Pause implements agent.Control.
func (a asked) Pause(ctx context.Context, table, reason string) error {
	err := a.Agent.Pause(ctx, table, reason)
	a.told("asked.pause", table, err, zap.String("reason", reason))
	return err
}

// Resume implements agent.Control.
func (a asked) Resume(ctx context.Context, table string) error {
	err := a.Agent.Resume(ctx, table)
	a.told("asked.resume", table, err)
	return err
}

// RetryQuarantine implements agent.Control.
func (a asked) RetryQuarantine(ctx context.Context, table string, keys []string) (int, error) {
	n, err := a.Agent.RetryQuarantine(ctx, table, keys)
	a.told("asked.retry", table, err, zap.Int("rows", n))
	return n, err
}

// DropQuarantine implements agent.Control.
func (a asked) DropQuarantine(ctx context.Context, table string, keys []string) (int, error) {
	n, err := a.Agent.DropQuarantine(ctx, table, keys)
	a.told("asked.drop", table, err, zap.Int("rows", n))
	return n, err
}
