package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent"
)

func TestBar(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 30, 0, time.UTC)
	for _, tt := range []struct {
		rows, of int64
		want     string
	}{
		{0, 0, "t diff 0 rows, 30s"},
		{0, 1000, "t diff [..............................]   0% 0 rows, 30s"},
		{500, 1000, "t diff [###############...............]  50% 500 rows, 30s"},
		{2000, 1000, "t diff [##############################] 100% 2,000 rows, 30s"},
	} {
		got := bar(now, agent.TableStatus{Name: "t", Running: "diff", Progress: &agent.Progress{Since: now.Add(-30 * time.Second), Rows: tt.rows, Of: tt.of}})
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}
