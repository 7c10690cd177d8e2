package differ_test

import (
	"bytes"
	"context"
	"testing"

	"tidemark/differ"
	"tidemark/differ/summary"
)

// treeKinds are the answers of the cloud to a comparison by summaries.
var treeKinds = []string{"tree", "leaves", "rows"}

// differing is a table of which the cloud has one row too many, one that is
// old, and one too few.
func differing() *treeModel {
	m := newTreeModel(newModel(nil), summary.Layout{Number: 1, Kind: summary.Ordered, Shift: 5})
	for k := range 9 {
		m.write(100 * k)
	}
	m.delta()
	delete(m.source, 100)
	delete(m.cloud, 200)
	m.cloud[300] = "1"
	return m
}

func compare(m *treeModel) error {
	o := differ.TreeOptions{Options: differ.Options{Types: intKey, Watermark: m.watermark}, Secret: m.secret}
	o.SaltWith(func() summary.Salt { return 1 })
	_, err := differ.ByTree(context.Background(), o, whole{m.model}, m)
	return err
}

// Whatever a cloud answers, a comparison ends, and no row is deleted that the
// source has.
func FuzzTreeAnswers(f *testing.F) {
	whole := map[string][]byte{}
	m := differing()
	m.spoil = func(kind string, body []byte) []byte {
		whole[kind] = bytes.Clone(body)
		return body
	}
	if err := compare(m); err != nil || !m.equal() {
		f.Fatalf("%v, equal: %v", err, m.equal())
	}
	for i, kind := range treeKinds {
		f.Add(byte(i), whole[kind])
	}
	f.Fuzz(func(t *testing.T, which byte, answer []byte) {
		m := differing()
		kind := treeKinds[int(which)%len(treeKinds)]
		m.spoil = func(k string, body []byte) []byte {
			if k == kind {
				return answer
			}
			return body
		}
		_ = compare(m)
		if m.wrong != nil {
			t.Fatalf("wrong deletes: %v", m.wrong)
		}
	})
}
