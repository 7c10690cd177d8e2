package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/agent"
	"tidemark/agent/bundle"
	"tidemark/agent/journal"
)

// planted has keys and values of rows wherever an agent may tell of them.
type planted struct{ refuses bool }

const key = `["planted-key", 4711]`

func (p planted) problem() *agent.Problem {
	return &agent.Problem{
		Kind: agent.ProblemInternal, Scope: "table", Name: "dbo.orders",
		Message: "row " + key + " of dbo.orders is older", Hint: "Conversion failed when converting the value 'planted-value' to int",
	}
}

func (p planted) Status(context.Context) (agent.Status, error) {
	return agent.Status{
		Customer: "acme", State: p.problem(), Cloud: agent.CloudStatus{Problem: p.problem()},
		Paused:  &agent.Pause{Reason: "password=planted-password"},
		Sources: []agent.SourceStatus{{Name: "main", Problem: p.problem(), Notes: []string{"see \"planted-value\""}}},
		Tables: []agent.TableStatus{
			{
				Name: "dbo.orders", Problem: p.problem(), Decision: &agent.Decided{Reason: "skip"},
				Approval: &agent.Approval{Deletes: 3, Sample: []string{key, `["planted-other"]`}}, Notes: []string{"key " + key},
			},
			{Name: "../../dbo.evil name"},
		},
	}, nil
}

func (p planted) Explain(_ context.Context, table string) (agent.Explanation, error) {
	if p.refuses {
		return agent.Explanation{}, errors.New("row " + key)
	}
	entries, _ := p.Journal(context.Background(), table, 0)
	return agent.Explanation{Table: table, Entry: &entries[0], Before: entries, Facts: []agent.Fact{{Name: "cloud", Value: `epoch "8d3f", watermark 7`}}}, nil
}

func (p planted) Journal(context.Context, string, int) ([]journal.Entry, error) {
	if p.refuses {
		return nil, errors.New("row " + key)
	}
	return []journal.Entry{{
		Table: "dbo.orders", Action: "upload", Input: json.RawMessage(`{"Local":{"Epoch":"8d3f","High":7}}`), Reason: "local 7 is above the cloud's 5",
		Outcome: journal.Outcome{Error: "row " + key + " is refused", Hint: "look for 'planted-value'", Note: "conflict at " + key},
	}}, nil
}

func (p planted) Quarantine(context.Context, string) ([]agent.QuarantinedRow, error) {
	return slices.Repeat([]agent.QuarantinedRow{{Table: "dbo.orders", Key: key, Reason: "the value 'planted-value' is no date", Bytes: 7}}, 1_001), nil
}

func TestCollect(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		var out bytes.Buffer
		a := bundle.NewArchive(&out, "dir", time.Now(), bundle.NewRedactor([]string{"planted-password", "abc"}, []string{"dbo.orders"}))
		a.Collect(t.Context(), planted{refuses})
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		var names []string
		files := read(t, out.Bytes())
		for name, text := range files {
			names = append(names, name)
			if strings.Contains(text, "planted") || strings.Contains(text, "4711") {
				t.Errorf("%s has it:\n%s", name, text)
			}
		}
		slices.Sort(names)
		want := []string{
			"dir/contents.txt", "dir/explain/002_.._.._dbo.evil_name.json", "dir/explain/dbo.orders.json",
			"dir/journal/002_.._.._dbo.evil_name.json", "dir/journal/dbo.orders.json", "dir/quarantine.json", "dir/status.json",
		}
		if refuses {
			want = []string{"dir/contents.txt", "dir/quarantine.json", "dir/status.json"}
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		contents := files["dir/contents.txt"]
		for _, text := range []string{"quarantine.json: keys of rows (1000)", "it holds the first 1000 of 1001 rows", "status.json: keys of rows (6)", "1 have fewer than 4 characters"} {
			if !strings.Contains(contents, text) {
				t.Errorf("no %q in\n%s", text, contents)
			}
		}
		if got := strings.Contains(contents, "journal/dbo.orders.json: row [key]"); got != refuses {
			t.Errorf("what is missing:\n%s", contents)
		}
		// What is no row is there.
		if !refuses && !strings.Contains(files["dir/explain/dbo.orders.json"], `epoch \"8d3f\", watermark 7`) {
			t.Error(files["dir/explain/dbo.orders.json"])
		}
	}
}
