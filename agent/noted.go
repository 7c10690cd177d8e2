package agent

import (
	"fmt"
	"slices"

	"tidemark/agent/state"
)

// noteProblems keeps what is wrong with the configuration, the cloud and the
// sources for those who ask when no agent runs. It is written when there is
// another problem or one less: a message alone changes with every try, by the
// id of its request.
func (a *Agent) noteProblems() {
	a.mu.Lock()
	cloud, sources, refused, before := a.site.Cloud, a.sources, a.refused, a.noted
	a.mu.Unlock()
	now := a.now()
	all := []*Problem{refused, cloudStatus(cloud).Problem}
	for _, s := range sources {
		all = append(all, s.status(now).Problem)
	}
	var noted []state.Problem
	for _, p := range all {
		if p != nil {
			noted = append(noted, state.Problem{
				Kind: string(p.Kind), Scope: p.Scope, Name: p.Name, Message: p.Message, Hint: p.Hint, Since: p.Since, Times: p.Times,
			})
		}
	}
	a.mu.Lock()
	a.noted = noted
	a.mu.Unlock()
	if !slices.EqualFunc(before, noted, func(a, b state.Problem) bool {
		return a.Kind == b.Kind && a.Scope == b.Scope && a.Name == b.Name
	}) {
		a.books.touchSite(now)
	}
}

// notedOf is the problem that was noted of a scope and a name in it; nil where
// there was none.
func notedOf(rec state.Site, scope, name string) *Problem {
	for _, p := range rec.Problems {
		if p.Scope == scope && p.Name == name {
			return &Problem{Kind: ProblemKind(p.Kind), Scope: scope, Name: name, Message: p.Message, Hint: p.Hint, Since: p.Since, Times: p.Times}
		}
	}
	return nil
}

// notes are what is worth knowing of a state directory and no problem.
func notes(dir string) []string {
	aside := state.Aside(dir)
	if len(aside) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s was set aside because it was damaged, and a new state begun: delete the file once support has seen it", aside[len(aside)-1])}
}
