package page_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tidemark/agent"
	"tidemark/agent/page"
)

func TestHistory(t *testing.T) {
	h := page.NewHistory()
	if h.Site() != nil || h.Table("a") != nil {
		t.Error("samples of nothing")
	}
	add := func(at time.Duration, sent int64, lag float64, tables ...string) {
		s := agent.Status{Time: now.Add(at), Cloud: agent.CloudStatus{Bytes: 100 * sent}}
		for _, name := range tables {
			s.Tables = append(s.Tables, agent.TableStatus{Name: name, Lag: lag})
		}
		h.Add(s, func(string) int64 { return sent })
	}
	add(0, 1_000, 5, "a", "b") // before it nothing is known
	add(time.Minute, 1_010, 0, "a", "b")
	add(3*time.Minute, 1_030, 7, "a", "b") // a minute was missed
	add(4*time.Minute, 5, 0, "a")          // counted anew: another process
	want := []page.Point{
		{Time: now, Lag: 5}, {Time: now.Add(time.Minute), Rows: 10}, {Time: now.Add(3 * time.Minute), Lag: 7, Rows: 10}, {Time: now.Add(4 * time.Minute)},
	}
	if got := h.Table("a"); !equal(got, want) {
		t.Errorf("%v", got)
	}
	if h.Table("b") != nil {
		t.Error("a table that is gone has samples")
	}
	want[1].Bytes, want[2].Bytes = 1000, 1000
	if got := h.Site(); !equal(got, want) {
		t.Errorf("%v", got)
	}
}

func equal(a, b []page.Point) bool {
	return slices.EqualFunc(a, b, func(p, q page.Point) bool {
		return p.Time.Equal(q.Time) && p.Lag == q.Lag && p.Rows == q.Rows && p.Bytes == q.Bytes
	})
}

// However long it runs, a day is kept, and no more.
func TestHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := page.NewHistory()
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Hour+time.Second)
		defer stop()
		var v clock
		h.Run(ctx, &v, func(string) int64 { return int64(v) * 3 })
		got := h.Table("a")
		if len(got) != 24*60 || got[0].Rows != 3 || got[len(got)-1].Time.Sub(got[0].Time) != 24*time.Hour-time.Minute {
			t.Errorf("%d samples", len(got))
		}
	})
}

// clock counts how often it was looked at.
type clock int64

func (c *clock) Status(context.Context) (agent.Status, error) {
	*c++
	return agent.Status{Time: time.Now(), Tables: []agent.TableStatus{{Name: "a"}}}, nil
}

func (c *clock) Explain(context.Context, string) (agent.Explanation, error) {
	return agent.Explanation{}, nil
}
