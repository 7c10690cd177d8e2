package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/state"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// observe holds a probe against what is remembered of the source. It sets the
// probe's epoch: the one remembered, the one that the cloud remembers, or a
// new one.
func (s *source) observe(ctx context.Context, p *probe) error {
	s.mu.Lock()
	rec := s.rec
	s.mu.Unlock()
	now := p.marks()
	hard, soft := differing(rec.Marks, now, markFork, markDatabase), differing(rec.Marks, now, markServer, markCreated)
	switch {
	case rec.Epoch == "":
		epoch, err := s.recoverEpoch(ctx, p)
		if err != nil {
			return err
		}
		s.begin(epoch, p, "")
	case hard != "":
		s.begin(randomHex(8), p, fmt.Sprintf("the database's %s is another: %s, was %s", hard, now[hard], rec.Marks[hard]))
	case p.DBTS < rec.DBTS:
		s.begin(randomHex(8), p, fmt.Sprintf("the row version counter is at %d, was at %d", p.DBTS, rec.DBTS))
	case soft != "":
		s.log.Info("source.changed", zap.String("mark", soft), zap.String("was", rec.Marks[soft]), zap.String("is", now[soft]))
		for _, t := range s.tables {
			if err := t.sameEpoch(ctx); err != nil {
				return err
			}
		}
	}
	s.held(p)
	s.findHolder(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	marks := maps.Clone(s.rec.Marks) // what was visible once counts, even while a right is missing
	if marks == nil {
		marks = map[string]string{}
	}
	for name, v := range now {
		if v != "" {
			marks[name] = v
		}
	}
	s.rec.Marks = marks
	s.rec.DBTS, s.rec.Ceiling = max(s.rec.DBTS, p.DBTS), p.Ceiling
	p.epoch = s.rec.Epoch
	s.a.touch(s)
	return nil
}

// begin begins an epoch. Why is "" when it is the first that is known here.
func (s *source) begin(epoch string, p *probe, why string) {
	s.mu.Lock()
	s.rec = state.Source{Epoch: epoch, EpochSince: s.a.now()}
	if p != nil {
		s.rec.Marks, s.rec.DBTS, s.rec.Ceiling = p.marks(), p.DBTS, p.Ceiling
	}
	s.mu.Unlock()
	if why == "" {
		return
	}
	s.log.Warn("source.epoch", zap.String("epoch", epoch), zap.String("why", why))
	for _, t := range s.tables {
		t.forgetEpoch()
	}
}

// newEpoch begins an epoch in the middle of one, with the marks as they are.
func (s *source) newEpoch(why string) {
	s.mu.Lock()
	last := s.last
	s.mu.Unlock()
	s.begin(randomHex(8), last, why)
	s.a.touch(s)
}

// recoverEpoch finds the epoch that this source was in when the state was
// lost: the one of the cloud's versions whose marks fit, of most tables. Where
// none fits it is a new one.
func (s *source) recoverEpoch(ctx context.Context, p *probe) (string, error) {
	versions, _, err := s.a.versions(ctx, time.Now(), nil)
	if err != nil {
		return "", err
	}
	type votes struct {
		epoch  string
		tables int
	}
	var count []votes
	for _, t := range s.tables {
		v, ok := versions.Tables[t.site.Dataset]
		if !ok || v.Epoch == "" {
			continue
		}
		fits, err := t.fits(ctx, v, p)
		if err != nil {
			return "", err
		}
		if !fits {
			continue
		}
		if i := slices.IndexFunc(count, func(c votes) bool { return c.epoch == v.Epoch }); i >= 0 {
			count[i].tables++
		} else {
			count = append(count, votes{v.Epoch, 1})
		}
	}
	if len(count) == 0 {
		return randomHex(8), nil
	}
	best := slices.MaxFunc(count, func(a, b votes) int {
		return cmp.Or(cmp.Compare(a.tables, b.tables), cmp.Compare(a.epoch, b.epoch))
	})
	s.log.Info("source.epoch.recovered", zap.String("epoch", best.epoch), zap.Int("tables", best.tables))
	return best.epoch, nil
}

// fits tells whether a version of the cloud is of the source as it is now. It
// leaves the version's sentinels with the table, which has none.
func (t *table) fits(ctx context.Context, v wire.Version, p *probe) (bool, error) {
	m := parseMarks(v.Marks)
	if differing(m.Marks, p.marks(), markFork, markDatabase) != "" || v.Watermark > p.DBTS {
		return false, nil
	}
	t.setSentinels(m.Sentinels)
	err := t.checkSentinels(ctx)
	var back *wentBack
	if errors.As(err, &back) {
		t.setSentinels(nil)
		return false, nil
	}
	return true, err
}

// wentBack says that a row is older than it was.
type wentBack struct{ why string }

func (w *wentBack) Error() string { return w.why }

// sameEpoch looks at the table's sentinels, and begins an epoch of the source
// when one of them is older than it was.
func (t *table) sameEpoch(ctx context.Context) error {
	err := t.checkSentinels(ctx)
	var back *wentBack
	if errors.As(err, &back) {
		t.source.newEpoch(back.why)
		return nil
	}
	return err
}

// checkSentinels reads the table's sentinels again. It drops those that are gone, and
// returns a *wentBack when one is older than remembered.
func (t *table) checkSentinels(ctx context.Context) error {
	sql := t.table()
	remembered := t.sentinels()
	if sql == nil || sql.Refused != "" || sql.RowVersion == "" || len(remembered) == 0 {
		return nil
	}
	ask := make([]sqlserver.Sentinel, len(remembered))
	for i, r := range remembered {
		ask[i] = sqlserver.Sentinel{Key: []byte(r.Key), Version: r.Version}
	}
	states, err := t.source.sql.Sentinels(ctx, sql, ask)
	if err != nil {
		return err
	}
	kept := make([]state.Sentinel, 0, len(remembered))
	for i, st := range states {
		switch st {
		case sqlserver.SentinelOlder:
			return &wentBack{fmt.Sprintf("row %s of %s is older than version %d, in which it was read before", remembered[i].Key, t.site.Dataset, remembered[i].Version)}
		case sqlserver.SentinelOK:
			kept = append(kept, remembered[i])
		}
	}
	t.setSentinels(kept)
	if len(kept) == 0 {
		t.mu.Lock()
		t.suspect = true
		t.mu.Unlock()
	}
	return nil
}
