package agent

import (
	"context"
	"io"

	"tidemark/internal/wire"
	"tidemark/sqlserver"
	"tidemark/uploader"
)

// A Source is one database to read from, *sqlserver.Source. Each method is
// described there.
type Source interface {
	Inspect(ctx context.Context) (sqlserver.Server, error)
	Catalog(ctx context.Context) ([]*sqlserver.Table, error)
	Probe(ctx context.Context, tables []*sqlserver.Table) (sqlserver.Probe, error)
	Count(ctx context.Context, t *sqlserver.Table) (int64, error)
	High(ctx context.Context, t *sqlserver.Table, from, ceiling uint64) (rv uint64, found bool, err error)
	Sentinels(ctx context.Context, t *sqlserver.Table, remembered []sqlserver.Sentinel) ([]sqlserver.SentinelState, error)
	Holder(ctx context.Context) (string, error)
	Reader(t *sqlserver.Table, limits sqlserver.Limits) *sqlserver.Reader
	Close() error
}

// A Cloud is the cloud API of one customer, *uploader.Client. Each method is
// described there; all of them try again until ctx ends where that can help.
type Cloud interface {
	Versions(ctx context.Context) (wire.Versions, error)
	Policy(ctx context.Context) (wire.Policy, error)
	Report(ctx context.Context, report wire.Report) (wire.Versions, error)
	Lease() uploader.Lease
	Table(ctx context.Context, table string) (wire.Table, error)
	Register(ctx context.Context, table string, s wire.Schema) (wire.Table, error)
	Send(ctx context.Context, table string, h wire.Header, packed []byte) (wire.Answer, error)
	Delete(ctx context.Context, table string, h wire.Header, packed []byte) (wire.Answer, error)
	Compare(ctx context.Context, table string, h wire.ManifestHeader, lines []byte) (wire.Comparison, error)
	List(ctx context.Context, table string, h wire.ManifestHeader, out *wire.Lines) (wire.ListHeader, error)
	Summary(ctx context.Context, table string, width int, read func(io.Reader) error) error
	Leaves(ctx context.Context, table string, question []byte, read func(io.Reader) error) error
	Differences(ctx context.Context, table string, question []byte, read func(io.Reader) error) error
	PolicyChanged() bool
	State() uploader.State
	Traffic() uploader.Traffic
	Close() error
}
