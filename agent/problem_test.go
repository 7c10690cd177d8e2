package agent_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent"
)

// TestWorstFirst holds that what a person has to see to first is named first,
// whatever it is a problem of, and that nothing goes missing.
func TestWorstFirst(t *testing.T) {
	problem := func(k agent.ProblemKind, name string) *agent.Problem { return &agent.Problem{Kind: k, Name: name} }
	s := agent.Status{
		Config: problem(agent.ProblemConfig, ""),
		Cloud:  agent.CloudStatus{Problem: problem(agent.ProblemClock, "")},
		Sources: []agent.SourceStatus{
			{Problem: problem(agent.ProblemCeiling, "main")}, {}, {Problem: problem(agent.ProblemUnreachable, "branch")},
		},
		Tables: []agent.TableStatus{
			{Problem: problem("of another version", "a")},
			{Problem: problem(agent.ProblemQuarantine, "b")},
			{Problem: problem(agent.ProblemApproval, "c")},
			{Problem: problem(agent.ProblemQuarantine, "d")},
			{},
			{Problem: problem(agent.ProblemKeyRefused, "e")},
			{Problem: problem(agent.ProblemPermission, "f")},
		},
	}
	var got []string
	for _, p := range s.Problems() {
		got = append(got, string(p.Kind)+" "+p.Name)
	}
	want := []string{
		"config ", "key-refused e", "permission f", "unreachable branch", "ceiling main",
		"approval c", "quarantine b", "quarantine d", "clock ", "of another version a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
