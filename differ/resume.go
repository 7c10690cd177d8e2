package differ

import (
	"encoding/json"

	"tidemark/differ/summary"
)

// A token is a place in a stream up to which all nodes were compared and,
// but for deletes, repaired.
type token struct {
	Layout uint64 `json:"layout"`
	Epoch  int64  `json:"epoch"`
	Cursor string `json:"cursor"` // of the chunk in which the next node begins

	// Node is the last one completed; where nodes are not counted, Nodes are
	// all.
	Node  summary.Node   `json:"node"`
	Nodes []summary.Node `json:"nodes,omitempty"`

	Source summary.Cell `json:"source"` // of the nodes completed
	Report Report       `json:"report"`
	Found  int64        `json:"nodes_differing"`
	Leaves int64        `json:"leaves_differing"`
}

// maxTokenNodes bounds a token where nodes are not counted; larger tables
// begin again.
const maxTokenNodes = 4096

// place keeps the token of a stream.
type place struct {
	counted  bool
	cursor   string // of the chunk that is being read
	kept     token
	fresh    bool // kept is not saved yet
	skipping bool // the chunk's first rows belong to nodes of the run before
}

// begin notes that a chunk is read from a cursor on.
func (p *place) begin(at string, save func(string)) {
	p.cursor = at
	if !p.fresh {
		return
	}
	p.fresh = false
	if b, err := json.Marshal(p.kept); err == nil { // numbers and texts: does not fail
		save(string(b))
	}
}

// keep notes that the stream has nothing held, and where it is.
func (p *place) keep(s *stream) {
	if !s.any || !p.counted && len(s.seen) > maxTokenNodes || len(s.wanted) > 0 {
		return
	}
	if p.cursor == p.kept.Cursor && p.cursor != "" {
		return // a later node of the same chunk: what this spares is not worth a token
	}
	p.kept = token{
		Layout: s.sum.Layout.Number, Epoch: s.epoch, Cursor: p.cursor, Node: s.last,
		Source: s.r.Source, Report: s.r.Report, Found: s.r.Nodes, Leaves: s.r.Leaves,
	}
	if !p.counted {
		for n := range s.seen {
			p.kept.Nodes = append(p.kept.Nodes, n)
		}
	}
	p.fresh = true
}

// resume takes up a token and returns the cursor to begin at.
func (s *stream) resume(text string) string {
	var k token
	if text == "" || json.Unmarshal([]byte(text), &k) != nil ||
		k.Layout != s.sum.Layout.Number || k.Epoch != s.epoch || k.Report.Waiting {
		return ""
	}
	cloud, done := s.r.Cloud, s.tree.done()
	s.r.Report, s.r.Source, s.r.Nodes, s.r.Leaves = k.Report, k.Source, k.Found, k.Leaves
	s.r.Cloud = cloud
	s.r.Inserted += done.Inserted
	s.r.Updated += done.Updated
	s.last, s.any, s.resumed = k.Node, true, true
	for _, n := range k.Nodes {
		s.seen[n] = true
	}
	s.place.skipping = true
	return k.Cursor
}

// skips tells whether a row's node was completed in the run before.
func (s *stream) skips(node summary.Node) bool {
	if !s.place.skipping {
		return false
	}
	s.place.skipping = s.seen[node] || s.place.counted && node <= s.last
	return s.place.skipping
}
