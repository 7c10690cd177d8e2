package engine

import (
	"sync"

	"tidemark/internal/mssqltest/engine/tsql"
)

// Bounds of what is kept of parsed batches.
const (
	keepBatches = 256
	keepLength  = 16 << 10 // bytes of a batch
)

// A parsedBatches keeps what batches were parsed to: clients send few texts
// many times, with parameters. A statement is never changed once it is parsed.
type parsedBatches struct {
	mu   sync.Mutex
	kept map[string][]tsql.Stmt
}

// parse gives the statements of a batch, which the caller must not change.
func (p *parsedBatches) parse(sql string) ([]tsql.Stmt, error) {
	p.mu.Lock()
	stmts, ok := p.kept[sql]
	p.mu.Unlock()
	if ok {
		return stmts, nil
	}
	stmts, err := tsql.Parse(sql)
	if err != nil || len(sql) > keepLength {
		return stmts, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || len(p.kept) >= keepBatches {
		p.kept = map[string][]tsql.Stmt{}
	}
	p.kept[sql] = stmts
	return stmts, nil
}
