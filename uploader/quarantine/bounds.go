package quarantine

import (
	"slices"
	"unicode/utf8"
)

// keys returns those of the table that are there; no key means all.
func (q *Quarantine) keys(table string, keys []string) []string {
	rows := q.tables[table]
	if len(keys) > 0 {
		keys = slices.Clone(keys)
		slices.Sort(keys)
		return slices.DeleteFunc(slices.Compact(keys), func(key string) bool {
			_, ok := rows[key]
			return !ok
		})
	}
	for key := range rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (q *Quarantine) put(r Row) {
	rows := q.tables[r.Table]
	if rows == nil {
		rows = map[string]Row{}
		q.tables[r.Table] = rows
	}
	if old, ok := rows[r.Key]; ok {
		q.bytes -= size(old)
	}
	rows[r.Key] = r
	q.bytes += size(r)
}

func (q *Quarantine) remove(table, key string) {
	rows := q.tables[table]
	q.bytes -= size(rows[key])
	delete(rows, key)
	if len(rows) == 0 {
		delete(q.tables, table)
	}
}

func size(r Row) int { return len(r.Table) + len(r.Key) + len(r.Reason) }

// trim forgets rows until the limits hold.
func (q *Quarantine) trim() Change {
	c := Change{Lost: map[string]uint64{}}
	forget := func(r Row) {
		q.remove(r.Table, r.Key)
		q.lost[r.Table]++
		c.Lost[r.Table] = q.lost[r.Table]
		c.Drop = append(c.Drop, Ref{r.Table, r.Key})
	}
	for _, rows := range q.tables {
		for _, r := range oldest(rows, len(rows)-q.limits.Rows) {
			forget(r)
		}
	}
	if q.bytes <= q.limits.Bytes {
		return c
	}
	all := map[string]Row{}
	for table, rows := range q.tables {
		for key, r := range rows {
			all[table+"\x00"+key] = r
		}
	}
	for _, r := range oldest(all, len(all)) {
		if q.bytes <= q.limits.Bytes {
			break
		}
		forget(r)
	}
	return c
}

// oldest returns the n rows that were tried longest ago.
func oldest(rows map[string]Row, n int) []Row {
	if n <= 0 {
		return nil
	}
	list := make([]Row, 0, len(rows))
	for _, r := range rows {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Row) int { return a.Last.Compare(b.Last) })
	return list[:n]
}

func (q *Quarantine) save(c Change) error {
	if len(c.Put)+len(c.Drop)+len(c.Lost) == 0 {
		return nil
	}
	return q.store.Save(c)
}

// short cuts a reason to MaxReason bytes of whole characters.
func short(s string) string {
	if len(s) <= MaxReason {
		return s
	}
	cut := MaxReason - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
