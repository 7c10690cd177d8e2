package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tidemark/differ"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

// compare compares the table with its copy by summaries and repairs it.
func (c *evaluation) compare(ctx context.Context) error {
	sides := &sides{evaluation: c}
	report, err := differ.ByTree(ctx, differ.TreeOptions{
		Options: differ.Options{Types: schema.KeyTypes(), Watermark: c.t.version.Watermark, Rows: c.db.tables[c.i].rows},
		Secret:  c.t.secret,
	}, sides, sides)
	if err != nil {
		return err
	}
	c.cloud.recorder.compared(report.Manifest != "")
	if report.Waiting || report.Hidden > 0 {
		return fmt.Errorf("a comparison ended with %+v", report.Plan)
	}
	return nil
}

// sides are both sides of a comparison.
type sides struct {
	*evaluation
	question bytes.Buffer
}

// Keys implements differ.Source.
func (s *sides) Keys(_ context.Context, _ string, out *wire.Lines) (next string, done bool, err error) {
	for i, v := range s.db.tables[s.i].versions {
		if v > 0 {
			out.Buf = appendStamp(out.Buf, i+1, v)
			out.N++
		}
	}
	return "", true, nil
}

// Lookup implements differ.Source.
func (s *sides) Lookup(_ context.Context, keys [][]byte, out *wire.Lines) ([]differ.Found, error) {
	found := make([]differ.Found, len(keys))
	for i, text := range keys {
		var key [1]int
		if err := json.Unmarshal(text, &key); err != nil {
			return nil, err
		}
		versions := s.db.tables[s.i].versions
		if at := key[0] - 1; at >= 0 && at < len(versions) && versions[at] > 0 {
			out.Buf = appendLine(out.Buf, key[0], versions[at])
			out.N++
			found[i] = differ.There
		}
	}
	return found, nil
}

// Tree implements differ.TreeCloud.
func (s *sides) Tree(ctx context.Context, width int) (t *summary.Tree, err error) {
	err = meant(s.client.Summary(ctx, kinds[s.i].name, width, func(in io.Reader) (err error) {
		t, err = summary.ReadTree(in)
		return err
	}))
	return t, err
}

// Leaves implements differ.TreeCloud.
func (s *sides) Leaves(ctx context.Context, q summary.LeavesQuestion) (a *summary.LeavesAnswer, err error) {
	s.question.Reset()
	if err := summary.WriteLeavesQuestion(&s.question, q); err != nil {
		return nil, err
	}
	err = meant(s.client.Leaves(ctx, kinds[s.i].name, s.question.Bytes(), func(in io.Reader) (err error) {
		a, err = summary.ReadLeaves(in, q)
		return err
	}))
	return a, err
}

// Differences implements differ.TreeCloud.
func (s *sides) Differences(ctx context.Context, q summary.CompareQuestion, fn func(int, *summary.LeafDifference) error) error {
	var question bytes.Buffer // fn may ask for more
	if err := summary.WriteCompareQuestion(&question, q); err != nil {
		return err
	}
	return meant(s.client.Differences(ctx, kinds[s.i].name, question.Bytes(), func(in io.Reader) error {
		return summary.ReadDifferences(in, q, fn)
	}))
}

// meant says what an error means to a comparison.
func meant(err error) error {
	var conflict *uploader.Conflict
	switch {
	case errors.As(err, &conflict) && conflict.Problem.Code == wire.NoSummary:
		return fmt.Errorf("%w: %w", differ.ErrNoTree, err)
	case errors.As(err, &conflict) && conflict.Problem.Code == wire.LayoutChanged:
		return fmt.Errorf("%w: %w", summary.ErrLayout, err)
	}
	return err
}

// Compare implements differ.Cloud.
func (s *sides) Compare(ctx context.Context, lines wire.Lines) (wire.Comparison, error) {
	return s.client.Compare(ctx, kinds[s.i].name, s.manifest(wire.Compare, lines.N), lines.Buf)
}

// List implements differ.Cloud.
func (s *sides) List(ctx context.Context, after string, out *wire.Lines) (wire.ListHeader, error) {
	h := s.manifest(wire.List, 0)
	h.After, h.Limit = after, 50_000
	return s.client.List(ctx, kinds[s.i].name, h, out)
}

func (s *sides) manifest(mode wire.ManifestMode, rows int) wire.ManifestHeader {
	return wire.ManifestHeader{Protocol: wire.Protocol, Mode: mode, Epoch: epoch, Schema: fingerprint, Rows: rows}
}

// Repair implements differ.Cloud.
func (s *sides) Repair(ctx context.Context, lines wire.Lines) (differ.Repaired, error) {
	answer, err := s.send(ctx, wire.Header{Kind: wire.Repair}, lines)
	return differ.Repaired{Inserted: answer.Inserted, Updated: answer.Updated + answer.Unchanged}, err
}

// Delete implements differ.Cloud.
func (s *sides) Delete(ctx context.Context, lines wire.Lines) (int, error) {
	answer, err := s.send(ctx, wire.Header{Kind: wire.Delete}, lines)
	return answer.Deleted, err
}
