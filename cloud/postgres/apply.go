package postgres

import (
	"cmp"
	"context"
	"slices"

	"tidemark/cloud"
	"tidemark/cloud/sums/upkeep"
	"tidemark/internal/wire"
)

// Apply implements cloud.Batches.
func (s *Store) Apply(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	return s.take(ctx, b, (*application).upsert)
}

// Delete implements cloud.Batches.
func (s *Store) Delete(ctx context.Context, b cloud.Batch) (wire.Answer, error) {
	return s.take(ctx, b, (*application).delete)
}

// An application is one attempt to apply a batch, in one transaction with the
// version locked.
type application struct {
	c      *session
	p      *plan
	b      cloud.Batch
	before state
	next   state
	way    way         // of the rows into the table
	unique bool        // no key is staged twice
	sum    *changes    // nil: no summary is kept
	answer wire.Answer // counts as they become known
}

// take runs do between the parts that all batches have in common. Do counts
// in the application's answer and returns the refused rows.
func (s *Store) take(ctx context.Context, b cloud.Batch, do func(*application, context.Context) ([]refused, error)) (wire.Answer, error) {
	var a *application
	way := s.firstWay(b)
	err := s.runOn(ctx, b.Table, b.Header.Rows, func(c *session) error {
		a = &application{c: c, b: b, way: way}
		err := s.attempt(ctx, a, do)
		way = a.way
		return err
	})
	if err != nil {
		return wire.Answer{}, err
	}
	if !a.answer.Replayed && !s.options.WithoutSummaries {
		s.upkeep.Applied(upkeep.Table{Customer: b.Customer, Name: b.Table}, a.next.mark, b.Header.Complete)
	}
	return a.answer, nil
}

func (s *Store) attempt(ctx context.Context, a *application, do func(*application, context.Context) ([]refused, error)) error {
	b := a.b
	d, err := s.datasets.dataset(ctx, a.c, b.Table)
	if err != nil {
		return err
	}
	if d == nil {
		return unregistered(b.Table)
	}
	if a.way != inlineWay {
		if err := a.c.prepareStage(ctx, d); err != nil {
			return err
		}
	}
	if a.before, err = a.c.begin(ctx, "BEGIN", lockState, b.Customer, b.Table); err != nil {
		return err
	}
	next, replay, err := a.before.Admit(b.Header, b.Now)
	if err != nil {
		return err
	}
	if replay {
		a.answer, err = a.c.replay(ctx, a.before, b.Customer, b.Table)
		return err
	}
	a.next = a.before
	a.next.State = next
	if a.before.shape != d.shape {
		s.datasets.forget(b.Table)
		return errStale
	}
	if a.p, err = s.datasets.plan(d, b.Schema, b.Header.Schema); err != nil {
		return err
	}
	if a.sum, err = s.beginChanges(ctx, a); err != nil {
		return err
	}
	if err := b.Rows.Rewind(); err != nil {
		return err
	}
	refused, err := do(a, ctx)
	if err != nil {
		return err
	}
	if err := a.tell(ctx, refused); err != nil {
		return err
	}
	return a.finish(ctx)
}

// tell puts the refused rows into the answer.
func (a *application) tell(ctx context.Context, rows []refused) error {
	if err := a.findPresent(ctx, rows); err != nil {
		return err
	}
	for _, r := range rows {
		a.answer.Refused = append(a.answer.Refused, r.Refusal)
	}
	slices.SortFunc(a.answer.Refused, func(x, y wire.Refusal) int { return cmp.Compare(x.Row, y.Row) })
	return nil
}

// finish stores version and answer and commits, in one round trip.
func (a *application) finish(ctx context.Context) error {
	v := &a.next.Version
	v.Rows = a.before.Version.Rows + int64(a.answer.Inserted-a.answer.Deleted)
	a.answer.Version = *v
	if a.b.Header.Start {
		a.next.pristine = a.before.Version.Rows == 0
	}
	if v.Loaded {
		a.next.pristine = false
	}
	keep, err := keepAnswer(a.b, a.answer)
	if err != nil {
		return err
	}
	statements := append(a.endChanges(), a.next.write(a.b.Customer, a.b.Table), keep, statement{sql: "COMMIT"})
	err = a.c.pipeline(ctx, statements...)
	if code(err) == codeText {
		return wire.NewProblem(wire.Malformed, "a text of the header holds U+0000", "Postgres cannot store that character.")
	}
	return err
}
