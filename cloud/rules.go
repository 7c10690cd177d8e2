package cloud

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tidemark/cloud/rollout"
	"tidemark/internal/wire"
)

// Rules are all that operators have decided, as of a revision. They are not
// changed once they are made.
type Rules struct {
	Revision  int64
	Policies  map[Scope]wire.Policy
	Groups    map[string][]string // their customers, sorted
	Rollouts  []rollout.Versioned // by name
	revisions map[Kind]map[string]int64
}

// group is the body of a group's document.
type group struct {
	Customers []string `json:"customers"`
}

// ReadRules makes rules of documents. Kinds that are not known, of a newer
// program, are left out.
func ReadRules(revision int64, all []Document) (*Rules, error) {
	r := &Rules{Revision: revision, Policies: map[Scope]wire.Policy{}, Groups: map[string][]string{}, revisions: map[Kind]map[string]int64{}}
	for _, d := range all {
		var err error
		switch d.Kind {
		case KindPolicy:
			var p wire.Policy
			err = json.Unmarshal([]byte(d.Body), &p)
			r.Policies[Scope(d.Name)] = p
		case KindGroup:
			var g group
			err = json.Unmarshal([]byte(d.Body), &g)
			r.Groups[d.Name] = g.Customers
		case KindRollout:
			v := rollout.Versioned{Revision: d.Revision}
			err = json.Unmarshal([]byte(d.Body), &v.Rollout)
			r.Rollouts = append(r.Rollouts, v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", SubjectOf(d.Kind, d.Name), err)
		}
		if r.revisions[d.Kind] == nil {
			r.revisions[d.Kind] = map[string]int64{}
		}
		r.revisions[d.Kind][d.Name] = d.Revision
	}
	slices.SortFunc(r.Rollouts, func(a, b rollout.Versioned) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

// RevisionOf returns a document's revision, 0 when there is none.
func (r *Rules) RevisionOf(k Kind, name string) int64 { return r.revisions[k][name] }

// GroupsOf returns the groups that a customer is in, sorted.
func (r *Rules) GroupsOf(customer string) []string {
	var in []string
	for name, customers := range r.Groups {
		if _, ok := slices.BinarySearch(customers, customer); ok {
			in = append(in, name)
		}
	}
	slices.Sort(in)
	return in
}

// InGroup tells whether a customer is in a group.
func (r *Rules) InGroup(customer, group string) bool {
	_, ok := slices.BinarySearch(r.Groups[group], customer)
	return ok
}

// Rollout returns a rollout by its name.
func (r *Rules) Rollout(name string) (rollout.Versioned, bool) {
	i := slices.IndexFunc(r.Rollouts, func(v rollout.Versioned) bool { return v.Name == name })
	if i < 0 {
		return rollout.Versioned{}, false
	}
	return r.Rollouts[i], true
}

// A Part is one of the policies that hold for a customer.
type Part struct {
	From   string // "the fleet", "group pilots", "customer acme", "rollout orders"
	Policy wire.Policy
}

// Parts are the policies that hold for a customer, from the widest scope to
// the narrowest.
func (r *Rules) Parts(customer string) []Part {
	scopes := []Scope{Fleet}
	groups := r.GroupsOf(customer)
	for _, g := range groups {
		scopes = append(scopes, OfGroup(g))
	}
	var parts []Part
	for _, s := range append(scopes, OfCustomer(customer)) {
		if p, ok := r.Policies[s]; ok {
			parts = append(parts, Part{s.String(), p})
		}
	}
	for _, v := range r.Rollouts {
		reason, off := v.Off(customer, slices.Contains(groups, v.Group))
		if !off {
			continue
		}
		p := wire.Policy{Tables: map[string]wire.TablePolicy{}}
		for _, t := range v.Tables {
			p.Tables[t] = wire.TablePolicy{Disabled: true, Reason: reason}
		}
		parts = append(parts, Part{"rollout " + v.Name, p})
	}
	return parts
}

// Effective is what holds for a customer: of all its policies the narrowest,
// point by point.
func (r *Rules) Effective(customer string) wire.Policy {
	var p wire.Policy
	for i, part := range r.Parts(customer) {
		if i == 0 {
			p = part.Policy
			continue
		}
		p = narrow(p, part.Policy)
	}
	return p
}

// tables are the tables that rules name, "*" not among them.
func (r *Rules) tables() []string {
	names := map[string]bool{}
	for _, p := range r.Policies {
		for name := range p.Tables {
			names[name] = true
		}
	}
	for _, v := range r.Rollouts {
		for _, name := range v.Tables {
			names[name] = true
		}
	}
	delete(names, "*")
	return slices.Sorted(maps.Keys(names))
}
