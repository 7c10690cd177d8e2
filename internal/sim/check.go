package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tidemark/agent/journal"
	"tidemark/cloud"
	"tidemark/differ/summary"
	"tidemark/internal/canon"
	"tidemark/internal/wire"
)

// plain gives a value of the wire as source.read gives it.
func plain(raw []byte) string {
	if raw[0] == '"' {
		var s string
		_ = json.Unmarshal(raw, &s)
		return s
	}
	return string(raw)
}

// checkBatch holds a batch that was applied against what it may do.
func (w *world) checkBatch(name string, before, after copied, h wire.Header, a wire.Answer) {
	if a.Replayed {
		if h.Seq > before.version.Seq || !maps.Equal(before.rows, after.rows) {
			w.fail("%s: batch %d was answered again and changed something", name, h.Seq)
		}
		return
	}
	if w.cloud.runs == w.lineage.run { // an older store was not put back since
		if w.lineage.applied[h.ID] {
			w.fail("%s: batch %d (%s) was applied twice", name, h.Seq, h.ID)
		}
	} else {
		w.lineage = lineage{w.cloud.runs, map[string]bool{}}
	}
	w.lineage.applied[h.ID] = true
	if h.Seq != before.version.Seq+1 || after.version.Seq != h.Seq {
		w.fail("%s: batch %d was applied behind %d, which is now %d", name, h.Seq, before.version.Seq, after.version.Seq)
	}
	if after.version.Rows != int64(len(after.rows)) {
		w.fail("%s: the version counts %d rows, there are %d", name, after.version.Rows, len(after.rows))
	}
	for key, is := range after.rows {
		if before.rows[key] != is {
			w.source.written(name, key)
		}
	}
	for key, was := range before.rows {
		if _, there := after.rows[key]; there {
			continue
		}
		if h.Kind != wire.Delete {
			w.fail("%s: row %s went with a batch that deletes nothing", name, key)
		}
		w.deletes++
		w.checkDelete(name, key, was)
	}
}

// checkDelete fails when the source still has a row that was deleted. Where a
// restore brought it back, it was not there when the agent looked.
func (w *world) checkDelete(name, key string, was row) {
	if !w.source.gone[stamp{table: name, key: key}] {
		w.fail("%s: DELETE of row %s, which no lookup found gone", name, key)
	}
	is, there := w.source.tables[name][key]
	if !there || is.version != was.version {
		return
	}
	if kindOf(name).content {
		if is.text != was.text {
			return
		}
		// Content carries no version of its own: another write may have brought
		// the same row back. Only a row that never went is told apart.
		if _, gone := w.source.absent[stamp{name, key, 0}]; gone {
			return
		}
	}
	if _, gone := w.source.absent[stamp{name, key, was.version}]; gone {
		return
	}
	w.fail("%s: WRONG DELETE of row %s in version %d, which the source never lacked", name, key, was.version)
}

// cloudLags holds the watermarks against the source's rows.
func (w *world) cloudLags() {
	for _, name := range w.plan.Setup.Tables {
		c, ok := w.cloud.tables[name]
		if !ok || !c.version.Loaded || kindOf(name).content || c.born != w.source.incarnation {
			continue
		}
		here := w.source.tables[name]
		for _, key := range slices.Sorted(maps.Keys(here)) {
			r := here[key]
			if r.bad || r.version > c.version.Watermark {
				continue
			}
			if there, ok := c.rows[key]; !ok || there.version < r.version {
				w.fail("%s: the WATERMARK %d covers row %s of version %d, which the cloud lacks (it has %+v)", name, c.version.Watermark, key, r.version, there)
			}
		}
	}
}

// checkSummary holds a table's summary against its rows.
func (w *world) checkSummary(name string) {
	ctx := context.Background()
	store := w.cloud.store
	tree, err := store.Tree(ctx, customer, name)
	if err != nil {
		if p := (*wire.Problem)(nil); errors.As(err, &p) && p.Code == wire.NoSummary {
			return
		}
		w.fail("%s: summary: %v", name, err)
		return
	}
	t, err := store.Table(ctx, customer, name)
	var secret summary.Secret
	if err == nil {
		err = secret.UnmarshalText([]byte(t.Secret))
	}
	if err != nil {
		w.fail("sim: %v", err)
		return
	}
	h := summary.NewHasher(secret, tree.Layout.Number)
	var root summary.Cell
	err = store.Rows(ctx, customer, name, func(r cloud.Row) error {
		var key [][]byte
		for _, i := range t.Schema.KeyIndexes() {
			key = append(key, r.Values[i])
		}
		k, err := canon.Key(nil, t.Schema.KeyTypes(), key)
		if err != nil {
			return err
		}
		if r.Epoch == 0 {
			r.Epoch = tree.Layout.Epoch
		}
		root.Add(h.Row(k, r.Epoch, r.Version))
		return nil
	})
	if err != nil {
		w.fail("sim: %v", err)
	} else if root != tree.Root {
		w.fail("%s: the SUMMARY is not that of the rows: %v, the rows have %v", name, tree.Root, root)
	}
}

// decided takes a decision of an agent.
func (w *world) decided(s *agentSide, e journal.Entry) {
	o := e.Outcome
	if e.Action != "skip" && e.Action != "nothing" || o.Error != "" {
		w.say(s.name, "%s: %s %s, rule %d: %s; +%d ~%d -%d %s %.200s", e.Table, e.Action, e.Upload, e.Rule, e.Reason, o.Inserted, o.Updated, o.Deleted, o.Note, o.Error)
	}
	if s != w.main {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, e)
	c := w.skips[e.Table]
	switch {
	case e.Action != "skip":
		c = [2]int{}
	case e.Rule == 2:
		c[0]++
	case e.Rule == 3:
		c[1]++
	}
	w.skips[e.Table] = c
	set := w.plan.Setup
	if c[0] > max(set.ForcedSkips, w.forced) || c[1] > set.MaxSkips {
		w.fail("%s: %d forced skips and %d of an unchanged table in a row: over their CAPS %d and %d", e.Table, c[0], c[1], max(set.ForcedSkips, w.forced), set.MaxSkips)
	}
}

// differences tells how the two sides of a table differ, "" for not at all.
func (w *world) difference(name string) string {
	here := w.source.tables[name]
	c, ok := w.cloud.tables[name]
	if !ok || !c.version.Loaded {
		return "the cloud has not loaded it"
	}
	for _, key := range slices.Sorted(maps.Keys(here)) {
		r := here[key]
		there, ok := c.rows[key]
		switch {
		case r.bad:
		case !ok:
			return "the cloud lacks row " + key
		case there.text != r.text, !kindOf(name).content && there.version != r.version:
			return fmt.Sprintf("row %s is %d %s, in the cloud %d %s", key, r.version, r.text, there.version, there.text)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.rows)) {
		if _, ok := here[key]; !ok {
			return "the cloud still has row " + key
		}
	}
	return ""
}

// rest heals everything, waits, and holds the two sides against each other.
func (w *world) rest() {
	w.heal()
	reached := false
	for range 144 { // half a day at most
		w.sleep(5 * time.Minute)
		if w.broken() {
			return
		}
		reached = w.cloud.up && w.main.up
		for _, name := range w.plan.Setup.Tables {
			reached = reached && w.difference(name) == ""
		}
		if reached {
			break
		}
	}
	if !reached {
		for _, name := range w.plan.Setup.Tables {
			if d := w.difference(name); d != "" {
				w.mu.Lock()
				for i := len(w.entries) - 1; i >= 0; i-- { // what it was last said of it
					if e := w.entries[i]; e.Table == name {
						w.say("agent", "%s: %s by rule %d at %s: %s %s", name, e.Action, e.Rule, e.Time.Format(time.TimeOnly), e.Reason, e.Outcome.Error)
						break
					}
				}
				w.mu.Unlock()
				w.fail("%s does not become EQUAL: %s; the watermark is %d", name, d, w.cloud.tables[name].version.Watermark)
			}
		}
		w.fail("a side is not up")
		return
	}
	w.say("sim", "equal")
	w.sleep(w.plan.owed())
	w.mu.Lock()
	from := len(w.entries)
	w.mu.Unlock()
	w.sleep(time.Duration(w.plan.Setup.Verify) + 15*time.Minute) // a check by schedule, once or twice
	w.mu.Lock()
	entries := w.entries[from:]
	w.mu.Unlock()
	checked := map[string]bool{}
	for _, e := range entries {
		switch {
		case e.Action == "skip" || e.Action == "nothing":
		case e.Action == "diff" && e.Rule == 10:
			if n := e.Outcome.Inserted + e.Outcome.Updated + e.Outcome.Deleted; n > 0 {
				w.fail("%s: a scheduled check of equal sides repaired %d rows", e.Table, n)
			}
		default:
			w.fail("%s: at rest the DECISION is %s %s by rule %d: %s", e.Table, e.Action, e.Upload, e.Rule, e.Reason)
		}
		checked[e.Table] = true
	}
	for _, name := range w.plan.Setup.Tables {
		if d := w.difference(name); d != "" {
			w.fail("%s does not stay EQUAL: %s", name, d)
		}
		if born := w.cloud.tables[name].born; born < w.source.told {
			w.fail("%s: the RESTORE of the source is unnoticed: its epoch is that of incarnation %d, not %d", name, born, w.source.told)
		}
		if !checked[name] {
			w.fail("%s: no decision in more than an hour", name)
		}
		w.checkSummary(name)
	}
	w.checkQuarantine()
}

// checkQuarantine holds the agent's quarantine against the rows that the cloud
// must refuse.
func (w *world) checkQuarantine() {
	status, err := w.main.agent.Status(context.Background())
	if err != nil {
		w.fail("status: %v", err)
		return
	}
	for _, t := range status.Tables {
		bad, held := 0, 0
		for _, r := range w.source.tables[t.Name] {
			if r.bad {
				bad++
			}
		}
		if t.Quarantine != nil {
			held = t.Quarantine.Rows
		}
		if held < bad {
			w.fail("%s: %d rows cannot be in the cloud and the QUARANTINE holds %d", t.Name, bad, held)
		}
	}
}
