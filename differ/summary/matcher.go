package summary

// A Matcher finds out what the rows of a leaf in the cloud have in common with
// the fingerprints that were sent for it.
type Matcher struct {
	salt  Salt
	width int
	at    map[uint64]int // the first index of a fingerprint that is left, by fingerprint
	next  []int          // the index behind of the same one, or -1
	left  []bool
}

// NewMatcher returns the matcher of one leaf of q.
func NewMatcher(q CompareQuestion, leaf LeafPrints) *Matcher {
	n := len(leaf.Prints)
	m := &Matcher{q.Salt, q.Width, make(map[uint64]int, n), make([]int, n), make([]bool, n)}
	for i := n - 1; i >= 0; i-- {
		m.next[i], m.left[i] = -1, true
		if behind, ok := m.at[leaf.Prints[i]]; ok {
			m.next[i] = behind
		}
		m.at[leaf.Prints[i]] = i
	}
	return m
}

// Row tells whether the agent has a row, given by its cell. A fingerprint that
// was sent twice is there twice.
func (m *Matcher) Row(row Cell) bool {
	f := m.salt.Fingerprint(row, m.width)
	i, ok := m.at[f]
	if !ok {
		return false
	}
	m.left[i] = false
	if m.next[i] < 0 {
		delete(m.at, f)
	} else {
		m.at[f] = m.next[i]
	}
	return true
}

// Unmatched returns the indexes of the fingerprints that no row had.
func (m *Matcher) Unmatched() []int {
	var all []int
	for i, left := range m.left {
		if left {
			all = append(all, i)
		}
	}
	return all
}
