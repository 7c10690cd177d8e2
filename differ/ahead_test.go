package differ_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"tidemark/differ"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// TestTreeAhead is TestTreeNoWrongDelete with keys that are read ahead. A
// history is not the same again, because two goroutines take part in it.
func TestTreeAhead(t *testing.T) {
	for range 3 { // of 100 histories
		rapid.Check(t, func(t *rapid.T) { treeHistory(t, true) })
	}
}

// locked is a model for several goroutines. Its source must be asked for one
// thing at a time all the same.
type locked struct {
	*treeModel
	mu   sync.Mutex
	asks atomic.Int32
}

func (l *locked) source() func() {
	if l.asks.Add(1) > 1 {
		panic("the source is asked for two things at a time")
	}
	l.mu.Lock()
	return func() { l.mu.Unlock(); l.asks.Add(-1) }
}

func (l *locked) cloud() func() {
	l.mu.Lock()
	return l.mu.Unlock
}

func (l *locked) Keys(ctx context.Context, after string, out *wire.Lines) (string, bool, error) {
	defer l.source()()
	return l.treeModel.Keys(ctx, after, out)
}

func (l *locked) Lookup(ctx context.Context, keys [][]byte, out *wire.Lines) ([]differ.Found, error) {
	defer l.source()()
	return l.treeModel.Lookup(ctx, keys, out)
}

func (l *locked) Tree(ctx context.Context, width int) (*summary.Tree, error) {
	defer l.cloud()()
	return l.treeModel.Tree(ctx, width)
}

func (l *locked) Leaves(ctx context.Context, q summary.LeavesQuestion) (*summary.LeavesAnswer, error) {
	defer l.cloud()()
	return l.treeModel.Leaves(ctx, q)
}

func (l *locked) Differences(ctx context.Context, q summary.CompareQuestion, fn func(int, *summary.LeafDifference) error) error {
	defer l.cloud()()
	return l.treeModel.Differences(ctx, q, fn)
}

func (l *locked) Compare(ctx context.Context, lines wire.Lines) (wire.Comparison, error) {
	defer l.cloud()()
	return l.treeModel.Compare(ctx, lines)
}

func (l *locked) List(ctx context.Context, after string, out *wire.Lines) (wire.ListHeader, error) {
	defer l.cloud()()
	return l.treeModel.List(ctx, after, out)
}

func (l *locked) Repair(ctx context.Context, lines wire.Lines) (differ.Repaired, error) {
	defer l.cloud()()
	return l.treeModel.Repair(ctx, lines)
}

func (l *locked) Delete(ctx context.Context, lines wire.Lines) (int, error) {
	defer l.cloud()()
	return l.treeModel.Delete(ctx, lines)
}

// TestAheadEnds asks for leaves of a node while the chunk behind it is read,
// and fails there: the read is given up and waited for.
func TestAheadEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowSource{begun: make(chan struct{})}
		_, err := differ.ByTree(t.Context(), differ.TreeOptions{
			Options: differ.Options{Types: []wire.Type{{Kind: wire.Int}}, Watermark: 10}, Secret: summary.Secret{1}, Ahead: true, BufferBytes: 1,
		}, s, s)
		if !errors.Is(err, errNoLeaves) {
			t.Errorf("the comparison ended with %v", err)
		}
		if !s.ended.Load() {
			t.Error("the read under way was not waited for")
		}
	})
}

var errNoLeaves = errors.New("no leaves")

// slowSource has rows of two nodes that the cloud lacks, and never returns a
// second chunk.
type slowSource struct {
	differ.TreeCloud
	begun chan struct{}
	ended atomic.Bool
}

func (s *slowSource) Keys(ctx context.Context, after string, out *wire.Lines) (string, bool, error) {
	if after == "" {
		out.Buf, out.N = append(out.Buf, "[\"1\",1]\n[\"2\",1000000]\n"...), 2
		return "more", false, nil
	}
	close(s.begun)
	<-ctx.Done()
	s.ended.Store(true)
	return "", false, ctx.Err()
}

func (s *slowSource) Lookup(context.Context, [][]byte, *wire.Lines) ([]differ.Found, error) {
	panic("nothing is found")
}

func (s *slowSource) Tree(context.Context, int) (*summary.Tree, error) {
	return &summary.Tree{Layout: summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 4}, Width: 4}, nil
}

func (s *slowSource) Leaves(context.Context, summary.LeavesQuestion) (*summary.LeavesAnswer, error) {
	<-s.begun
	return nil, errNoLeaves
}
