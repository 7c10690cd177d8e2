package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tidemark/cloud/cost"
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
	if err := o.checkBounds(ctx, op, r.Bounds); err != nil {
		return r, err
	}
	r.State, r.Share, r.Created = rollout.Running, 0, time.Now().UTC()
	return r, o.replace(ctx, op, "rollout create", rules, KindRollout, r.Name, r)
}

// ErrUnseen is the error of a bound of a figure that no server can see: no
// step would ever come into force.
var ErrUnseen = errors.New("no server can see this figure")

// checkBounds reports bounds of what the database does not tell.
func (o Operator) checkBounds(ctx context.Context, op string, bounds []rollout.Bound) error {
	var asked []rollout.Figure
	for _, b := range bounds {
		if b.Figure == rollout.Reads || b.Figure == rollout.Lag {
			asked = append(asked, b.Figure)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	lag := slices.Contains(asked, rollout.Lag)
	unseen := func(f rollout.Figure, why, hint string) error {
		return fault.New(op, fmt.Errorf("bound of %s: %w: %s", f, ErrUnseen, why), hint)
	}
	const others = "latency and queue are measured by the server itself"
	source, ok := o.Store.(cost.Source)
	if !ok {
		return unseen(asked[0], "the store is not Postgres", others)
	}
	c, err := source.Counters(ctx)
	switch {
	case errors.Is(err, cost.ErrNotCounted):
		return unseen(asked[0], "the database does not count what it does", others)
	case err != nil:
		return fault.New(op, err, "")
	case lag && c.Replicas == 0:
		return unseen(rollout.Lag, "the database has no replica", "connect the replica first (pg_stat_replication shows it), or leave the bound out")
	case lag && c.Lag < 0:
		return unseen(rollout.Lag, "the database does not let its user see replicas", "GRANT pg_monitor to the user of the store's URL")
	}
	return nil
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
	return samples(documents)
}

// Told returns what each instance has told lately, for whoever only looks.
func (b *Board) Told(ctx context.Context) (map[string]rollout.Sample, error) {
	documents, err := b.Store.Observed(ctx, freshSamples)
	if err != nil {
		return nil, err
	}
	return samples(documents)
}

func samples(documents map[string]string) (map[string]rollout.Sample, error) {
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
