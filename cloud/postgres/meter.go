package postgres

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"

	"tidemark/cloud/cost"
)

// A meter counts the blocks that the transactions of a request read and hit:
// of the dataset's table, its index, what is stored out of line, and of the
// registry. It asks the server at the beginning and at the end of each
// transaction, along with what is sent then anyway, so that it costs no round
// trip. The counters that it asks for are those that the session has not
// handed on yet; a session hands them on between transactions, so that within
// one the difference is exact. ("Statistics Functions" in the PostgreSQL
// manual.) What a transaction that fails had read is not known.
type meter struct {
	tally     *cost.Tally
	relations string // oid[] as text
	share     int64  // one transaction of so many is measured, and counts for all

	beginRead, beginHit, endRead, endHit int64
}

// measure asks for blocks that were not found in memory, and those that were.
const measure = `SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(r) - pg_stat_get_xact_blocks_hit(r)), 0)::bigint,
	coalesce(sum(pg_stat_get_xact_blocks_hit(r)), 0)::bigint FROM unnest($1::oid[]) r`

// measured are the relations that are counted for a dataset's table: its own,
// and those of the registry that requests about a table read.
const measured = `WITH t AS (
		SELECT oid, reltoastrelid FROM pg_class WHERE oid = to_regclass($1)
			OR relnamespace = to_regnamespace('tidemark') AND relname IN ('versions', 'answers', 'summaries', 'leaves', 'log')),
	a AS (SELECT oid FROM t UNION SELECT reltoastrelid FROM t WHERE reltoastrelid <> 0)
	SELECT array_agg(oid)::text FROM (SELECT oid FROM a UNION SELECT indexrelid FROM pg_index JOIN a ON a.oid = indrelid) r`

// around adds the measuring to the statements that begin and end a
// transaction. A nil meter adds nothing.
func (m *meter) around(statements []statement) []statement {
	if m == nil {
		return statements
	}
	out := make([]statement, 0, len(statements)+2)
	for _, s := range statements {
		if s.sql == commit {
			out = append(out, m.statement(&m.endRead, &m.endHit))
		}
		out = append(out, s)
		if strings.HasPrefix(s.sql, begin) {
			out = append(out, m.statement(&m.beginRead, &m.beginHit))
		}
	}
	return out
}

func (m *meter) statement(read, hit *int64) statement {
	return statement{sql: measure, args: []any{m.relations}, scan: []any{read, hit}}
}

// done tells the request what a transaction has read, once statements that
// end it have gone through.
func (m *meter) done(statements []statement) {
	if m != nil && len(statements) > 0 && statements[len(statements)-1].sql == commit {
		m.tally.Blocks(m.share*(m.endRead-m.beginRead), m.share*(m.endHit-m.beginHit))
	}
}

// Measuring takes 0.17 ms of a transaction, and the smallest batch 1.65 ms. So
// of small ones one in smallShare is measured, by chance.
const (
	smallRows  = 100
	smallShare = 8
)

// runOn is run for a transaction about a table. What it reads is counted for
// the request that the context belongs to. Rows says how much that may be; 0
// when that is not known.
func (s *Store) runOn(ctx context.Context, table string, rows int, f func(c *session) error) error {
	tally, share := cost.From(ctx), int64(1)
	if 0 < rows && rows < smallRows {
		share = smallShare
	}
	if tally == nil || rand.N(share) > 0 {
		return s.run(ctx, f)
	}
	return s.run(ctx, func(c *session) error {
		if relations := s.meters.relations(ctx, c, &s.datasets, table); relations != "" {
			c.meter = &meter{tally: tally, relations: relations, share: share}
		}
		return f(c)
	})
}

// meters remembers the relations of datasets.
type meters struct {
	mu      sync.Mutex
	of      map[*shared]string
	without atomic.Bool // the server cannot be asked
}

// relations returns what is measured for a dataset's table; "" is nothing. It
// is remembered for as long as the dataset keeps its shape.
func (m *meters) relations(ctx context.Context, c *session, datasets *registry, table string) string {
	if m.without.Load() {
		return ""
	}
	d, err := datasets.dataset(ctx, c, table)
	if d == nil || err != nil { // whoever comes next tells
		return ""
	}
	m.mu.Lock()
	relations, ok := m.of[d]
	m.mu.Unlock()
	if ok {
		return relations
	}
	// Outside of a transaction: a server that lacks the functions must not end one.
	var read, hit int64
	err = c.QueryRow(ctx, measured, d.target()).Scan(&relations)
	if err == nil {
		err = c.QueryRow(ctx, measure, relations).Scan(&read, &hit)
	}
	if err != nil {
		if ctx.Err() == nil && len(code(err)) == 5 {
			m.without.Store(true)
		}
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil || len(m.of) >= maxShared {
		m.of = make(map[*shared]string)
	}
	m.of[d] = relations
	return relations
}
