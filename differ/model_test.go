package differ_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"tidemark/differ"
	"tidemark/internal/wire"
)

// model is a source table and its copy, both maps of key to row version, and
// a world that changes the source between any two calls.
type model struct {
	t         *rapid.T
	source    map[int]uint64
	cloud     map[int]string // stamps
	counter   uint64
	watermark uint64
	page      int
	restless  bool // the world changes between calls
	pair      bool // keys have two columns
	scrambled bool // the source lists keys in another order
	refuse    func(key int) bool
	unusable  func(key int) bool
	wrong     []string // deletes that should not have been
	deletes   int
	compares  int
	lists     int
	read      int // keys that the source was read for
}

func newModel(t *rapid.T) *model {
	return &model{t: t, source: map[int]uint64{}, cloud: map[int]string{}, page: 3}
}

func (m *model) write(key int) { m.counter++; m.source[key] = m.counter }

// key draws one of 40 keys, on both sides of zero and apart from each other.
func (m *model) key(label string) int { return 100 * rapid.IntRange(-20, 19).Draw(m.t, label) }

func (m *model) keys(label string) []int {
	some := rapid.SliceOfN(rapid.IntRange(-20, 19), 0, 8).Draw(m.t, label)
	for i := range some {
		some[i] *= 100
	}
	return some
}

// change does one random thing to the source, or lets a delta through.
func (m *model) change() {
	key := m.key("key")
	switch rapid.IntRange(0, 4).Draw(m.t, "what") {
	case 0, 1:
		m.write(key)
	case 2:
		delete(m.source, key)
	case 3: // the key changes
		if _, ok := m.source[key]; ok {
			delete(m.source, key)
			m.write(m.key("to"))
		}
	case 4:
		m.delta()
	}
}

// delta uploads what lies above the watermark.
func (m *model) delta() {
	for k, rv := range m.source {
		if rv > m.watermark && (m.refuse == nil || !m.refuse(k)) {
			m.cloud[k] = stamp(rv)
		}
	}
	m.watermark = m.counter
}

func (m *model) tick() {
	for m.restless && rapid.IntRange(0, 2).Draw(m.t, "tick") == 0 {
		m.change()
	}
}

// rank is a key's place in the source's order.
func (m *model) rank(key int) int {
	if m.scrambled {
		return (key + 2000) * 7919 % 4001
	}
	return key
}

func stamp(rv uint64) string { return strconv.FormatUint(rv, 10) }

func (m *model) Keys(_ context.Context, after string, out *wire.Lines) (string, bool, error) {
	m.tick()
	last := math.MinInt
	if after != "" {
		last, _ = strconv.Atoi(after)
	}
	keys := sorted(m.source)
	slices.SortFunc(keys, func(a, b int) int { return cmp.Compare(m.rank(a), m.rank(b)) })
	read := 0
	for _, k := range keys {
		if m.rank(k) <= last {
			continue
		}
		if read++; read > m.page {
			return strconv.Itoa(last), false, nil
		}
		m.addLine(out, stamp(m.source[k]), k)
		m.read++
		last = m.rank(k)
	}
	return strconv.Itoa(last), true, nil
}

func (m *model) Lookup(_ context.Context, keys [][]byte, out *wire.Lines) ([]differ.Found, error) {
	m.tick()
	n := rapid.IntRange(1, len(keys)).Draw(m.t, "looked up")
	found := make([]differ.Found, n)
	for i, raw := range keys[:n] {
		k := m.parseKey(raw)
		if rv, ok := m.source[k]; ok && m.unusable != nil && m.unusable(k) {
			found[i] = differ.Unusable
		} else if ok {
			found[i] = differ.There
			m.addLine(out, stamp(rv), k)
		}
	}
	return found, nil
}

func (m *model) version() wire.Version { return wire.Version{Rows: int64(len(m.cloud))} }

func (m *model) Compare(_ context.Context, lines wire.Lines) (wire.Comparison, error) {
	m.tick()
	m.compares++
	c := wire.Comparison{Version: m.version()}
	for i, l := range m.parseLines(lines) {
		switch held, ok := m.cloud[l.key]; {
		case !ok:
			c.Missing = append(c.Missing, i)
		case held != l.stamp:
			c.Stale = append(c.Stale, i)
		}
	}
	return c, nil
}

func (m *model) List(_ context.Context, after string, out *wire.Lines) (wire.ListHeader, error) {
	m.tick()
	m.lists++
	last := math.MinInt
	if after != "" {
		last, _ = strconv.Atoi(after)
	}
	h := wire.ListHeader{Version: m.version()}
	keys := sorted(m.cloud)
	for _, k := range keys[sort.SearchInts(keys, last+1):] {
		if h.Rows == m.page {
			h.Next = strconv.Itoa(last)
			break
		}
		m.addLine(out, m.cloud[k], k)
		h.Rows++
		last = k
	}
	return h, nil
}

func (m *model) Repair(_ context.Context, lines wire.Lines) (differ.Repaired, error) {
	m.tick()
	var r differ.Repaired
	for _, l := range m.parseLines(lines) {
		held, ok := m.cloud[l.key]
		switch {
		case m.refuse != nil && m.refuse(l.key) && ok:
			r.Held++
		case m.refuse != nil && m.refuse(l.key):
			r.Absent++
		case !ok:
			r.Inserted++
			m.cloud[l.key] = l.stamp
		default:
			r.Updated++
			if newer(l.stamp, held) {
				m.cloud[l.key] = l.stamp
			}
		}
	}
	return r, nil
}

// Delete is guarded, and holds every delete against the source.
func (m *model) Delete(_ context.Context, lines wire.Lines) (int, error) {
	m.tick()
	if m.restless && rapid.Bool().Draw(m.t, "written again at the last moment") {
		m.write(m.parseLines(lines)[0].key)
		m.delta()
	}
	n := 0
	for _, l := range m.parseLines(lines) {
		if m.cloud[l.key] != l.stamp {
			continue
		}
		delete(m.cloud, l.key)
		n++
		if rv, ok := m.source[l.key]; ok && rv <= m.watermark {
			m.wrong = append(m.wrong, fmt.Sprintf("key %d of version %d, deleted as %s at watermark %d", l.key, rv, l.stamp, m.watermark))
		}
	}
	m.deletes += n
	return n, nil
}

// equal tells whether both sides hold the same rows in the same versions.
func (m *model) equal() bool {
	if len(m.source) != len(m.cloud) {
		return false
	}
	for k, rv := range m.source {
		if m.cloud[k] != stamp(rv) {
			return false
		}
	}
	return true
}

// newer holds stamps of another epoch to be older than any of this one.
func newer(a, b string) bool {
	if strings.Contains(b, "@") {
		return true
	}
	x, _ := strconv.ParseUint(a, 10, 64)
	y, _ := strconv.ParseUint(b, 10, 64)
	return x > y
}

type line struct {
	stamp string
	key   int
}

// perPair is how many keys have their first column in common.
const perPair = 700

// columns of a key.
func (m *model) columns(key int) string {
	if !m.pair {
		return strconv.Itoa(key)
	}
	second := ((key % perPair) + perPair) % perPair
	return fmt.Sprintf("%d,%d", (key-second)/perPair, second)
}

func (m *model) join(columns []float64) int {
	if !m.pair {
		return int(columns[0])
	}
	return int(columns[0])*perPair + int(columns[1])
}

func (m *model) parseLines(l wire.Lines) []line {
	var all []line
	for text := range strings.Lines(string(l.Buf)) {
		var v []any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			panic(err)
		}
		columns := make([]float64, len(v)-1)
		for i := range columns {
			columns[i] = v[i+1].(float64)
		}
		all = append(all, line{v[0].(string), m.join(columns)})
	}
	if len(all) != l.N {
		panic("lines announced and lines there differ")
	}
	return all
}

func (m *model) parseKey(raw []byte) int {
	var v []float64
	if err := json.Unmarshal(raw, &v); err != nil || len(v) != len(m.types()) {
		panic(fmt.Sprintf("key %s", raw))
	}
	return m.join(v)
}

func (m *model) types() []wire.Type {
	if m.pair {
		return []wire.Type{{Kind: wire.Int}, {Kind: wire.Int}}
	}
	return intKey
}

func (m *model) addLine(out *wire.Lines, stamp string, key int) {
	out.Buf = fmt.Appendf(out.Buf, "[%q,%s]\n", stamp, m.columns(key))
	out.N++
}

func sorted[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}
