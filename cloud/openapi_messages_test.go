package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tidemark/differ/summary"
	"tidemark/internal/wire"
)

// line is line n of what write writes, as JSON.
func line(t *testing.T, n int, write func(io.Writer) error) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(bytes.Split(b.Bytes(), []byte{'\n'})[n], &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// messageHeads are the JSON objects of messages as they are written: one with
// every member, and one without those that can be missing.
func messageHeads(t *testing.T) map[string][2]map[string]any {
	t.Helper()
	full := &summary.Tree{Layout: summary.Layout{Number: 1, Kind: summary.Ordered, Column: 1, Shift: 1, Bits: 1}}
	tree := line(t, 0, func(w io.Writer) error { return summary.WriteTree(w, full) })
	bare := line(t, 0, func(w io.Writer) error { return summary.WriteTree(w, &summary.Tree{}) })
	leaves := line(t, 0, func(w io.Writer) error { return summary.WriteLeavesQuestion(w, summary.LeavesQuestion{Width: 1}) })
	q := summary.CompareQuestion{Salt: 1, Width: 4, Leaves: []summary.LeafPrints{{}}}
	question := line(t, 0, func(w io.Writer) error { return summary.WriteCompareQuestion(w, q) })
	answer := func(d summary.LeafDifference) func(io.Writer) error {
		return func(w io.Writer) error {
			out := summary.NewDifferenceWriter(w, q)
			return errors.Join(out.Leaf(d), out.Close())
		}
	}
	difference := summary.LeafDifference{Unmatched: []int{0}, Rows: wire.Lines{Buf: []byte("[\"1\",1]\n"), N: 1}}
	return map[string][2]map[string]any{
		"TreeHead":       {tree, bare},
		"Layout":         {tree["layout"].(map[string]any), bare["layout"].(map[string]any)},
		"Cell":           {tree["root"].(map[string]any), bare["root"].(map[string]any)},
		"LeavesHead":     {leaves, leaves},
		"CompareHead":    {question, line(t, 0, answer(summary.LeafDifference{}))},
		"DifferenceHead": {line(t, 1, answer(difference)), line(t, 1, answer(summary.LeafDifference{}))},
	}
}

func TestOpenAPIMessages(t *testing.T) {
	schemas := openAPI(t)["components"].(map[string]any)["schemas"].(map[string]any)
	for name, heads := range messageHeads(t) {
		schema, ok := schemas[name].(map[string]any)
		if !ok {
			t.Errorf("%s is not described", name)
			continue
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(heads[0])), slices.Sorted(maps.Keys(schema["properties"].(map[string]any)))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		var required []string
		for _, r := range schema["required"].([]any) {
			required = append(required, r.(string))
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(heads[1])), slices.Sorted(slices.Values(required))); d != "" {
			t.Errorf("%s: required: %s", name, d)
		}
	}
}
