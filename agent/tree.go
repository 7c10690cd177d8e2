package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"tidemark/agent/state"
	"tidemark/differ"
	"tidemark/differ/summary"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

// bufferBytes bounds the rows that a comparison by summaries holds until their
// leaves are asked about: those of some nodes of 32,000 rows.
const bufferBytes = 8 << 20

// resumeFor is how long a comparison that was broken off may be gone on with:
// what it found equal then says less the longer it is ago.
const resumeFor = 24 * time.Hour

// byTree compares by summaries, or by manifests where the cloud has none.
func (c *cycle) byTree(ctx context.Context, o differ.Options, r *repairer) (differ.TreeReport, error) {
	secret, err := c.secret(ctx)
	if err != nil {
		return differ.TreeReport{}, err
	}
	if secret == (summary.Secret{}) {
		report, err := differ.ByManifest(ctx, o, r, r)
		return differ.TreeReport{Report: report, Manifest: "the cloud keeps no summary of the table"}, err
	}
	t := differ.TreeOptions{Options: o, Secret: secret, Ahead: true, BufferBytes: bufferBytes}
	if !o.DryRun {
		t.Resume, t.Save = c.resumeAt(), c.keepPlace
	}
	report, err := differ.ByTree(ctx, t, r, r)
	if err == nil && !o.DryRun {
		c.t.change(func(rec *state.Table) { rec.Place = state.Place{} })
	}
	return report, err
}

// secret is what the cloud keys the table's summary with. It came with the
// answer to the registration; an agent that lost its state asks again.
func (c *cycle) secret(ctx context.Context) (s summary.Secret, err error) {
	text := c.t.record().Secret
	if text == "" {
		table, err := c.t.a.cloud().Table(ctx, c.t.site.Dataset)
		c.out.Requests++
		if err != nil {
			return s, err
		}
		text = table.Secret
		c.t.change(func(rec *state.Table) { rec.Secret = text })
	}
	if text == "" {
		return s, nil
	}
	if err := s.UnmarshalText([]byte(text)); err != nil {
		return s, fmt.Errorf("the secret of %s: %w", c.t.site.Dataset, err)
	}
	return s, nil
}

// resumeAt is where a comparison that was broken off goes on; "" to begin.
func (c *cycle) resumeAt() string {
	p := c.t.record().Place
	if c.t.a.now().Sub(p.At).Abs() > resumeFor {
		return ""
	}
	return p.Token
}

func (c *cycle) keepPlace(token string) {
	now := c.t.a.now()
	c.t.change(func(rec *state.Table) { rec.Place = state.Place{Token: token, At: now} })
	c.t.a.books.touchTable(c.t.site.Dataset, now)
}

// Tree implements differ.TreeCloud.
func (r *repairer) Tree(ctx context.Context, width int) (t *summary.Tree, err error) {
	err = r.ask(r.cloud.Summary(ctx, r.t.site.Dataset, width, r.counted(func(in io.Reader) (err error) {
		t, err = summary.ReadTree(in)
		return err
	})))
	return t, err
}

// Leaves implements differ.TreeCloud.
func (r *repairer) Leaves(ctx context.Context, q summary.LeavesQuestion) (a *summary.LeavesAnswer, err error) {
	r.question.Reset()
	if err := summary.WriteLeavesQuestion(&r.question, q); err != nil {
		return nil, err
	}
	r.messages += int64(r.question.Len())
	err = r.ask(r.cloud.Leaves(ctx, r.t.site.Dataset, r.question.Bytes(), r.counted(func(in io.Reader) (err error) {
		a, err = summary.ReadLeaves(in, q)
		return err
	})))
	return a, err
}

// Differences implements differ.TreeCloud.
func (r *repairer) Differences(ctx context.Context, q summary.CompareQuestion, fn func(int, *summary.LeafDifference) error) error {
	var question bytes.Buffer // fn may ask for more
	if err := summary.WriteCompareQuestion(&question, q); err != nil {
		return err
	}
	r.messages += int64(question.Len())
	return r.ask(r.cloud.Differences(ctx, r.t.site.Dataset, question.Bytes(), r.counted(func(in io.Reader) error {
		return summary.ReadDifferences(in, q, fn)
	})))
}

// ask books a question and says what its error means to a comparison.
func (r *repairer) ask(err error) error {
	r.out.Requests++
	var conflict *uploader.Conflict
	var stop *uploader.Stop
	switch {
	case errors.As(err, &conflict) && conflict.Problem.Code == wire.NoSummary,
		errors.As(err, &stop) && stop.Problem != nil && stop.Problem.Code == wire.NotFound:
		r.t.log.Debug("diff.no-summary", zap.Error(err))
		return fmt.Errorf("%w: %w", differ.ErrNoTree, err)
	case errors.As(err, &conflict) && conflict.Problem.Code == wire.LayoutChanged:
		return fmt.Errorf("%w: %w", summary.ErrLayout, err)
	}
	return r.failed(err)
}

// counted counts what read gets.
func (r *repairer) counted(read func(io.Reader) error) func(io.Reader) error {
	return func(in io.Reader) error { return read(&counter{in, &r.messages}) }
}

type counter struct {
	io.Reader
	n *int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

var _ differ.TreeCloud = (*repairer)(nil)
