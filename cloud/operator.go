package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// An Operator changes what holds for customers, in somebody's name. Every
// change is wholly done and recorded, or not at all.
type Operator struct {
	Store Store
	Who   string
	Why   string
	// Seen is the revision that the document to be changed must have, as it was
	// shown; 0: any.
	Seen int64
	// NewTables lets rules name tables that no agent has registered yet.
	NewTables bool
}

// ErrWhy is the error of a change without a reason.
var ErrWhy = errors.New("no reason is given")

// Rules reads what holds.
func (o Operator) Rules(ctx context.Context) (*Rules, error) {
	revision, all, err := o.Store.Documents(ctx, -1)
	if err != nil {
		return nil, err
	}
	return ReadRules(revision, all)
}

// replace is the one way in which an operator changes a document: from the
// revision that it was read with.
func (o Operator) replace(ctx context.Context, op, action string, r *Rules, k Kind, name string, body any) error {
	d := Document{Kind: k, Name: name, Revision: r.RevisionOf(k, name)}
	if o.Seen != 0 && d.Revision != o.Seen {
		return o.conflict(op, k, name)
	}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fault.New(op, err, "")
		}
		d.Body = string(text)
	}
	return o.change(ctx, op, action, d)
}

func (o Operator) change(ctx context.Context, op, action string, d ...Document) error {
	if err := o.Reasoned(op); err != nil {
		return err
	}
	_, err := o.Store.Change(ctx, Change{At: time.Now(), Who: o.Who, Why: o.Why, Action: action, Documents: d})
	if errors.Is(err, ErrChanged) {
		return o.conflict(op, d[0].Kind, d[0].Name)
	}
	return fault.New(op, err, "")
}

// Reasoned is ErrWhy where the operator gives no reason.
func (o Operator) Reasoned(op string) error {
	if o.Why == "" {
		return fault.New(op, ErrWhy, "say why with --reason: it is recorded")
	}
	return nil
}

func (o Operator) conflict(op string, k Kind, name string) error {
	return fault.New(op, fmt.Errorf("%s: %w", SubjectOf(k, name), ErrChanged),
		fmt.Sprintf("nothing was done; look at it again, and at `tidemark-cloud audit --subject %q`", SubjectOf(k, name)))
}

// ChangePolicy makes the policy of a scope what f makes of it. One that then
// says nothing is removed.
func (o Operator) ChangePolicy(ctx context.Context, action string, scope Scope, f func(wire.Policy) (wire.Policy, error)) (wire.Policy, error) {
	op := action + " of " + scope.String()
	r, err := o.Rules(ctx)
	if err != nil {
		return wire.Policy{}, fault.New(op, err, "")
	}
	if err := o.checkScope(ctx, op, r, scope); err != nil {
		return wire.Policy{}, err
	}
	was := r.Policies[scope]
	is, err := f(clonePolicy(was))
	if err != nil {
		return was, fault.New(op, err, "")
	}
	maps.DeleteFunc(is.Tables, func(_ string, t wire.TablePolicy) bool { return t == wire.TablePolicy{} })
	if len(is.Tables) == 0 {
		is.Tables = nil
	}
	if err := checkPolicy(is); err != nil {
		return was, fault.New(op, err, "nothing was done; `tidemark-cloud policy set --help` tells what can be")
	}
	var named []string
	for name := range is.Tables {
		if _, had := was.Tables[name]; !had {
			named = append(named, name)
		}
	}
	if err := o.checkTables(ctx, op, r, named); err != nil {
		return was, err
	}
	if reflect.DeepEqual(was, is) && o.Seen == 0 {
		return is, fault.New(op, ErrSame, "")
	}
	var body any = is
	if reflect.DeepEqual(is, wire.Policy{}) {
		body = nil
	}
	return is, o.replace(ctx, op, action, r, KindPolicy, string(scope), body)
}

// ErrSame is the error of a change that changes nothing.
var ErrSame = errors.New("it is so already")

func clonePolicy(p wire.Policy) wire.Policy {
	p.Tables = maps.Clone(p.Tables)
	if p.Tables == nil {
		p.Tables = map[string]wire.TablePolicy{}
	}
	return p
}

// ErrBound is the error of a value that a policy cannot have.
var ErrBound = errors.New("out of its bounds")

// Bounds of what a policy asks of agents.
const (
	maxMinInterval = 30 * 24 * 60 * 60 // seconds
	maxForcedSkips = 10_000
	maxBatchRows   = 1_000_000
)

func checkPolicy(p wire.Policy) error {
	for name, t := range p.Tables {
		if name != "*" {
			if err := CheckTable(name); err != nil {
				return err
			}
		}
		for _, f := range []struct {
			name  string
			value int
			most  int
		}{{"the least interval in seconds", t.MinInterval, maxMinInterval}, {"forced skips", t.ForcedSkips, maxForcedSkips}, {"rows of a batch", t.MaxRows, maxBatchRows}} {
			if f.value < 0 || f.value > f.most {
				return fmt.Errorf("table %s: %s: %d is %w: 0 to %d", name, f.name, f.value, ErrBound, f.most)
			}
		}
	}
	return nil
}

// checkScope reports a group or a customer that there is not.
func (o Operator) checkScope(ctx context.Context, op string, r *Rules, s Scope) error {
	switch of, name := s.split(); of {
	case "group":
		return o.checkGroup(op, r, name)
	case "customer":
		return o.checkCustomers(ctx, op, name)
	}
	return nil
}

func (o Operator) checkGroup(op string, r *Rules, name string) error {
	if _, ok := r.Groups[name]; !ok {
		return unknown(op, "group", name, slices.Collect(maps.Keys(r.Groups)), "`tidemark-cloud groups list` lists them")
	}
	return nil
}

func (o Operator) checkCustomers(ctx context.Context, op string, ids ...string) error {
	all, err := o.Store.ListCustomers(ctx)
	if err != nil {
		return fault.New(op, err, "")
	}
	names := make([]string, len(all)) // by ID
	for i, c := range all {
		names[i] = c.ID
	}
	for _, id := range ids {
		if _, ok := slices.BinarySearch(names, id); !ok {
			return unknown(op, "customer", id, names, "`tidemark-cloud customers list` lists them")
		}
	}
	return nil
}

// checkTables reports a table that no agent has registered.
func (o Operator) checkTables(ctx context.Context, op string, r *Rules, names []string) error {
	known, err := o.Store.Datasets(ctx)
	if err != nil {
		return fault.New(op, err, "")
	}
	known = append(known, r.tables()...)
	for _, name := range names {
		if name == "*" {
			continue
		}
		if err := CheckTable(name); err != nil {
			return fault.New(op, err, "")
		}
		if !o.NewTables && !slices.Contains(known, name) {
			return unknown(op, "table", name, known, "no agent has registered it; with --new it may be one that none has yet")
		}
	}
	return nil
}

// Join puts customers into a group, which is made where it is not there.
func (o Operator) Join(ctx context.Context, name string, customers ...string) error {
	op := "add to group " + name
	r, err := o.Rules(ctx)
	if err == nil {
		err = CheckName("group", name)
	}
	if err != nil {
		return fault.New(op, err, "")
	}
	if err := o.checkCustomers(ctx, op, customers...); err != nil {
		return err
	}
	all := slices.Concat(r.Groups[name], customers)
	slices.Sort(all)
	return o.replace(ctx, op, "group add", r, KindGroup, name, group{slices.Compact(all)})
}

// Leave takes customers out of a group. One that is empty goes, unless a
// policy or a rollout names it.
func (o Operator) Leave(ctx context.Context, name string, customers ...string) error {
	op := "remove from group " + name
	r, err := o.Rules(ctx)
	if err != nil {
		return fault.New(op, err, "")
	}
	if err := o.checkGroup(op, r, name); err != nil {
		return err
	}
	for _, id := range customers {
		if !r.InGroup(id, name) {
			return unknown(op, "customer", id, r.Groups[name], "it is not in the group")
		}
	}
	left := slices.DeleteFunc(slices.Clone(r.Groups[name]), func(id string) bool { return slices.Contains(customers, id) })
	var body any = group{left}
	if len(left) == 0 && !r.names(name) {
		body = nil
	}
	return o.replace(ctx, op, "group remove", r, KindGroup, name, body)
}

// names tells whether a policy or a rollout is about a group.
func (r *Rules) names(group string) bool {
	if _, ok := r.Policies[OfGroup(group)]; ok {
		return true
	}
	for _, v := range r.Rollouts {
		if v.Group == group {
			return true
		}
	}
	return false
}

// RemoveCustomer removes a customer and all rules about it. Interrupted, it is
// called again.
func (o Operator) RemoveCustomer(ctx context.Context, id string) error {
	op := "remove customer " + id
	if err := o.Reasoned(op); err != nil {
		return err
	}
	r, err := o.Rules(ctx)
	if err != nil {
		return fault.New(op, err, "")
	}
	if err := o.checkCustomers(ctx, op, id); err != nil {
		return err
	}
	c := Change{At: time.Now(), Who: o.Who, Why: o.Why, Action: "customer remove", Subject: "customer " + id}
	if scope := OfCustomer(id); r.RevisionOf(KindPolicy, string(scope)) != 0 {
		c.Documents = append(c.Documents, Document{Kind: KindPolicy, Name: string(scope), Revision: r.RevisionOf(KindPolicy, string(scope))})
	}
	for _, name := range r.GroupsOf(id) {
		left := slices.DeleteFunc(slices.Clone(r.Groups[name]), func(other string) bool { return other == id })
		body, err := json.Marshal(group{left})
		if err != nil {
			return fault.New(op, err, "")
		}
		c.Documents = append(c.Documents, Document{Kind: KindGroup, Name: name, Revision: r.RevisionOf(KindGroup, name), Body: string(body)})
	}
	// The record has the removal itself, too, and has it before it begins.
	if len(c.Documents) > 0 {
		if _, err := o.Store.Change(ctx, c); err != nil {
			return fault.New(op, err, "nothing was done; try again")
		}
		c.Documents = nil
	}
	if _, err := o.Store.Change(ctx, c); err != nil {
		return fault.New(op, err, "nothing of the customer was removed; try again")
	}
	return fault.New(op, o.Store.RemoveCustomer(ctx, id), "")
}
