package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tidemark/cloud/rollout"
	"tidemark/internal/fault"
)

// ErrTaken is the error of a rollout whose name or table another one has.
var ErrTaken = errors.New("another rollout has it")

// CreateRollout adds a rollout, at a share of nobody. Its tables are off for
// everybody from then on.
func (o Operator) CreateRollout(ctx context.Context, r rollout.Rollout) (rollout.Rollout, error) {
	op := "create rollout " + r.Name
	rules, err := o.Rules(ctx)
	if err != nil {
		return r, fault.New(op, err, "")
	}
	if err := errors.Join(CheckName("rollout", r.Name), r.Check()); err != nil {
		return r, fault.New(op, err, "")
	}
	if _, ok := rules.Rollout(r.Name); ok {
		return r, fault.New(op, fmt.Errorf("name %q: %w", r.Name, ErrTaken), "`tidemark-cloud rollout show "+r.Name+"` shows it")
	}
	for _, other := range rules.Rollouts {
		for _, t := range r.Tables {
			if slices.Contains(other.Tables, t) {
				return r, fault.New(op, fmt.Errorf("table %q: %w", t, ErrTaken), "a table is in one rollout at a time: end rollout "+other.Name+" first")
			}
		}
	}
	if r.Group != "" {
		if err := o.checkGroup(op, rules, r.Group); err != nil {
			return r, err
		}
	}
	if slices.Contains(r.Tables, "*") {
		return r, fault.New(op, errors.New(`a rollout names its tables: "*" is none`), "")
	}
	if err := o.checkTables(ctx, op, rules, r.Tables); err != nil {
		return r, err
	}
	r.State, r.Share, r.Created = rollout.Running, 0, time.Now().UTC()
	return r, o.replace(ctx, op, "rollout create", rules, KindRollout, r.Name, r)
}

// ChangeRollout makes a rollout what f makes of it.
func (o Operator) ChangeRollout(ctx context.Context, action, name string, f func(rollout.Rollout, time.Time) (rollout.Rollout, error)) (rollout.Rollout, error) {
	op := action + " rollout " + name
	rules, was, err := o.rollout(ctx, op, name)
	if err != nil {
		return was.Rollout, err
	}
	is, err := f(was.Rollout, time.Now())
	if err != nil {
		return was.Rollout, fault.New(op, err, "`tidemark-cloud rollout show "+name+"` shows it")
	}
	return is, o.replace(ctx, op, "rollout "+action, rules, KindRollout, name, is)
}

// EndRollout removes a rollout that everybody is in: its tables are then like
// any other.
func (o Operator) EndRollout(ctx context.Context, name string) error {
	op := "end rollout " + name
	rules, was, err := o.rollout(ctx, op, name)
	if err != nil {
		return err
	}
	if err := was.Ended(); err != nil {
		return fault.New(op, err, "`tidemark-cloud rollout step "+name+" --to 100%` comes first; to keep its tables off, leave it")
	}
	return o.replace(ctx, op, "rollout end", rules, KindRollout, name, nil)
}

func (o Operator) rollout(ctx context.Context, op, name string) (*Rules, rollout.Versioned, error) {
	rules, err := o.Rules(ctx)
	if err != nil {
		return nil, rollout.Versioned{}, fault.New(op, err, "")
	}
	was, ok := rules.Rollout(name)
	if !ok {
		var names []string
		for _, v := range rules.Rollouts {
			names = append(names, v.Name)
		}
		return nil, was, unknown(op, "rollout", name, names, "`tidemark-cloud rollout list` lists them")
	}
	return rules, was, nil
}

// freshSamples is how old what another instance sees may be.
const freshSamples = 35 * time.Second

// A Board is what the watchers of rollouts share: a rollout.Store over a
// Control.
type Board struct {
	Store Control

	mu    sync.Mutex
	rules *Rules
}

var _ rollout.Store = (*Board)(nil)

// Rollouts implements rollout.Store.
func (b *Board) Rollouts(ctx context.Context) ([]rollout.Versioned, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := int64(-1)
	if b.rules != nil {
		known = b.rules.Revision
	}
	revision, all, err := b.Store.Documents(ctx, known)
	if err != nil {
		return nil, err
	}
	if revision != known {
		rules, err := ReadRules(revision, all)
		if err != nil {
			return nil, err
		}
		b.rules = rules
	}
	return b.rules.Rollouts, nil
}

// Observe implements rollout.Store.
func (b *Board) Observe(ctx context.Context, instance string, s rollout.Sample) (map[string]rollout.Sample, error) {
	document, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	documents, err := b.Store.Observe(ctx, instance, string(document), freshSamples)
	if err != nil {
		return nil, err
	}
	all := make(map[string]rollout.Sample, len(documents))
	for name, text := range documents {
		var s rollout.Sample
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("what %s sees: %w", name, err)
		}
		all[name] = s
	}
	return all, nil
}

// Decide implements rollout.Store.
func (b *Board) Decide(ctx context.Context, was rollout.Versioned, is rollout.Rollout, action, why string) error {
	body, err := json.Marshal(is)
	if err != nil {
		return err
	}
	_, err = b.Store.Change(ctx, Change{At: time.Now(), Who: "the server", Why: why, Action: "rollout " + action,
		Documents: []Document{{Kind: KindRollout, Name: was.Name, Revision: was.Revision, Body: string(body)}}})
	if errors.Is(err, ErrChanged) {
		return fmt.Errorf("%w: %w", rollout.ErrChanged, err)
	}
	return err
}
