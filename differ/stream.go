package differ

import (
	"context"
	"errors"
	"fmt"

	"tidemark/differ/summary"
)

// errOrder ends a stream whose rows do not come node by node: the source
// sorts otherwise than SQL Server.
var errOrder = errors.New("the source does not list its keys in the order of the layout")

// segment is a node of the source: open while its rows come, then held for as
// long as it differs.
type segment struct {
	node    summary.Node
	cell    summary.Cell
	cells   [summary.LeavesPerNode]summary.Cell
	first   int  // its first row in the buffer
	dropped bool // too many rows to hold: those of differing leaves are read again
}

const (
	// askNodes is how many differing nodes are asked for at a time.
	askNodes = 64
	// maxWait is how many nodes complete before one that differs is asked for,
	// so that a run that is stopped has not to begin there again.
	maxWait = 16
)

// stream compares an ordered layout while the source's keys are read: node by
// node, each as it completes. Only the rows of the open node and of those that
// differ are held.
type stream struct {
	*tree
	open  *segment
	held  []*segment
	free  []*segment
	last  summary.Node          // completed last
	any   bool                  // one was
	wait  int                   // nodes completed since the first that is held
	next  int                   // the first of the cloud's nodes not passed, where nodes are counted
	seen  map[summary.Node]bool // nodes of the source, where they are not counted
	place place
}

func (t *tree) stream(ctx context.Context) error {
	s := &stream{tree: t, seen: map[summary.Node]bool{}}
	s.place.counted = t.sum.Layout.Counted(t.o.Types)
	after := s.resume(t.o.Resume)
	err := t.read(ctx, after, func(at string) { s.place.begin(at, t.o.Save) }, func(row *sourceRow) error {
		if s.open == nil || s.open.node != row.leaf.Node {
			if s.skips(row.leaf.Node) {
				return nil
			}
			if err := s.enter(ctx, row.leaf.Node); err != nil {
				return err
			}
		}
		return s.add(ctx, row)
	})
	if err != nil {
		return err
	}
	return s.finish(ctx)
}

// enter begins another node.
func (s *stream) enter(ctx context.Context, node summary.Node) error {
	if s.open != nil {
		if err := s.complete(ctx); err != nil {
			return err
		}
	}
	if len(s.held) == 0 {
		s.place.keep(s)
	}
	if s.place.counted {
		if s.any && node <= s.last {
			return errOrder
		}
		if err := s.cloudOnly(ctx, node); err != nil {
			return err
		}
	} else if s.seen[node] {
		return errOrder
	} else if len(s.seen) >= summary.MaxNodes {
		return fmt.Errorf("%w: the source has over %d nodes", errManifest, summary.MaxNodes)
	} else {
		s.seen[node] = true
	}
	if n := len(s.free); n > 0 {
		s.open, s.free = s.free[n-1], s.free[:n-1]
		*s.open = segment{}
	} else {
		s.open = &segment{}
	}
	s.open.node, s.open.first = node, s.rows.len()
	return nil
}

func (s *stream) add(ctx context.Context, row *sourceRow) error {
	open := s.open
	s.r.Compared++
	if row.cell.Count == 0 {
		s.r.Later++
	} else {
		open.cell.Add(row.cell)
		open.cells[row.leaf.Index].Add(row.cell)
	}
	if open.dropped {
		return nil
	}
	if s.rows.size() > s.o.BufferBytes {
		if len(s.held) > 0 {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
		if s.rows.size() > s.o.BufferBytes {
			open.dropped = true
			s.rows.truncate(open.first)
			return nil
		}
	}
	s.rows.add(row)
	return nil
}

// complete compares the open node, of which all rows have come.
func (s *stream) complete(ctx context.Context) error {
	n := s.open
	s.open, s.last, s.any = nil, n.node, true
	s.r.Source.Add(n.cell)
	if n.cell.Cut(s.o.Width) == s.sum.Node(n.node).Cut(s.o.Width) {
		s.r.Matched += n.cell.Count
		s.accounted.Add(n.cell)
		s.rows.truncate(n.first)
		s.free = append(s.free, n)
	} else {
		s.held = append(s.held, n)
	}
	if len(s.held) > 0 {
		s.wait++
	}
	if len(s.held) < askNodes && s.wait < maxWait && s.rows.size() <= s.o.BufferBytes/4*3 {
		return nil
	}
	return s.flush(ctx)
}

// flush compares the leaves of the nodes that are held, and repairs what
// differs. The rows of an open node stay.
func (s *stream) flush(ctx context.Context) error {
	if len(s.held) == 0 {
		return nil
	}
	err := s.compareNodes(ctx, s.held)
	if err != nil {
		return err
	}
	s.free, s.held, s.wait = append(s.free, s.held...), s.held[:0], 0
	if s.open == nil {
		s.rows.reset()
	} else {
		s.rows.drop(s.open.first)
		s.open.first = 0
	}
	return s.repair(ctx, &s.differing)
}

// cloudOnly takes in the nodes before one that only the cloud has.
func (s *stream) cloudOnly(ctx context.Context, before summary.Node) error {
	for ; s.next < len(s.sum.Nodes) && s.sum.Nodes[s.next].Node < before; s.next++ {
		if err := s.foreign(ctx, s.sum.Nodes[s.next].Node); err != nil {
			return err
		}
	}
	return nil
}

// foreign takes in one of the cloud's nodes, unless the source has it.
func (s *stream) foreign(ctx context.Context, node summary.Node) error {
	if s.seen[node] || s.place.counted && s.any && node <= s.last {
		return nil
	}
	s.held = append(s.held, &segment{node: node, first: s.rows.len()})
	if len(s.held) < askNodes {
		return nil
	}
	return s.flush(ctx)
}

// finish compares what is left.
func (s *stream) finish(ctx context.Context) error {
	if s.open != nil {
		if err := s.complete(ctx); err != nil {
			return err
		}
	}
	for ; s.next < len(s.sum.Nodes); s.next++ {
		if err := s.foreign(ctx, s.sum.Nodes[s.next].Node); err != nil {
			return err
		}
	}
	return s.flush(ctx)
}
