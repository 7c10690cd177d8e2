//go:build linux

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
)

const (
	actTime  = 5 * time.Minute // bounds one transaction but for what it waits on purpose
	longTime = 8 * time.Second // a long one, at most
	longOdds = 40              // one transaction in so many is long
	redoOdds = 10              // and one in so many is rolled back
)

// A writer is a program that works with the database and knows nothing of
// Tidemark. Each has keys of its own, and is for one goroutine.
type writer struct {
	db     *sql.DB
	rand   *rand.Rand
	ledger *ledger
	number int // of so many
	of     int
	wait   time.Duration // between transactions, on average
	keys   map[string][]string
	next   map[string]int
	low    map[string]int // a table is not emptied below
	// lines of stock that were deleted and may come back
	sold []string
}

func newWriter(db *sql.DB, seed uint64, l *ledger, number, of int, wait time.Duration, scale float64) *writer {
	w := &writer{db: db, rand: rand.New(rand.NewPCG(seed, uint64(number))), ledger: l, number: number, of: of, wait: wait, //nolint:gosec // a seed
		keys: map[string][]string{}, next: map[string]int{}, low: map[string]int{}}
	for _, t := range tables {
		n := t.size(scale)
		for i := range n {
			if i%of == number {
				w.keys[t.name] = append(w.keys[t.name], keyOf(t.name, i))
			}
		}
		w.low[t.name] = len(w.keys[t.name]) / 2
		w.next[t.name] = (n/of+1)*of + number
	}
	return w
}

func (t table) size(scale float64) int { return max(40, int(float64(t.rows)*scale)) }

func keyOf(table string, i int) string {
	switch table {
	case "orders":
		return strconv.Itoa(i)
	case "customers":
		return customerCode(i)
	case "stock":
		return warehouses[i%len(warehouses)] + "," + strconv.Itoa(i)
	}
	return settingName(i)
}

// run writes until ctx ends, and leaves no transaction open.
func (w *writer) run(ctx context.Context) error {
	for pause(ctx, time.Duration(w.rand.Int64N(int64(2*w.wait)))) {
		if err := w.transaction(ctx); err != nil {
			return fmt.Errorf("writer %d: %w", w.number, err)
		}
	}
	return nil
}

// A deed is what a transaction has done so far.
type deed struct {
	tx   *sql.Tx
	gone []deletion
	n    counts
	keep []func() // of the writer's books, once it is committed
}

func (w *writer) transaction(stop context.Context) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(stop), actTime+longTime)
	defer cancel()
	d := &deed{}
	if d.tx, err = w.db.BeginTx(ctx, nil); err != nil {
		return err
	}
	long := w.rand.IntN(longOdds) == 0
	back := w.rand.IntN(redoOdds) == 0
	for range 1 + w.rand.IntN(3) {
		if err = w.act(ctx, d); err != nil {
			break
		}
	}
	if err == nil && long {
		d.n.Long = 1
		pause(stop, time.Duration(w.rand.Int64N(int64(longTime))))
	}
	if err != nil || back {
		w.settle(d, false)
		if rolledBack := d.tx.Rollback(); err == nil {
			return rolledBack
		}
		if lockedOut(err) {
			return nil // it does something else next
		}
		return err
	}
	err = d.tx.Commit()
	w.settle(d, true)
	return err
}

func (w *writer) settle(d *deed, committed bool) {
	w.ledger.settle(d.gone, committed, d.n)
	if committed {
		for _, f := range d.keep {
			f()
		}
	}
}

// lockedOut tells whether a statement lost against another writer: a deadlock,
// or a lock that was waited for too long.
func lockedOut(err error) bool {
	var e mssql.Error
	return errors.As(err, &e) && (e.Number == 1205 || e.Number == 1222)
}

// act changes a few rows of one table.
func (w *writer) act(ctx context.Context, d *deed) error {
	n := 1 + w.rand.IntN(12)
	switch w.rand.IntN(20) {
	case 0, 1, 2, 3:
		return w.insert(ctx, d, "orders", n)
	case 4, 5, 6, 7, 8:
		return w.update(ctx, d, "orders", n, "UPDATE dbo.orders SET status = @p1, total = total + 0.01 WHERE id = @p2", func() any { return pick(w.rand, []string{"paid", "packed", "shipped"}) })
	case 9, 10:
		return w.remove(ctx, d, "orders", min(n, 4))
	case 11:
		return w.insert(ctx, d, "customers", min(n, 3))
	case 12, 13:
		return w.update(ctx, d, "customers", n, "UPDATE dbo.customers SET credit = credit + 0.0375, city = @p1 WHERE code = @p2", func() any { return pick(w.rand, cities) })
	case 14:
		return w.rename(ctx, d)
	case 15:
		return w.remove(ctx, d, "customers", 1)
	case 16:
		return w.insert(ctx, d, "stock", min(n, 4))
	case 17:
		return w.update(ctx, d, "stock", n, "UPDATE dbo.stock SET quantity = @p1 WHERE warehouse = @p2 AND product = @p3", func() any { return w.rand.IntN(1000) })
	case 18:
		return w.remove(ctx, d, "stock", min(n, 3))
	}
	return w.update(ctx, d, "settings", min(n, 3), "UPDATE dbo.settings SET value = @p1 WHERE name = @p2", func() any { return strconv.Itoa(w.rand.IntN(1_000_000)) })
}

func (w *writer) insert(ctx context.Context, d *deed, name string, n int) error {
	t := tableNamed(name)
	for range n {
		var key string
		var values []any
		if name == "stock" && len(w.sold) > 0 && w.rand.IntN(3) == 0 { // one that was there before
			key = w.sold[0]
			w.sold = w.sold[1:]
			parts := keyArgs(name, key)
			values = []any{parts[0], parts[1], int64(0), "2026-11-25"}
		} else {
			i := w.next[name]
			w.next[name] += w.of
			key, values = keyOf(name, i), t.row(w.rand, i)
		}
		holes := make([]string, len(values))
		for i := range holes {
			holes[i] = "@p" + strconv.Itoa(i+1)
		}
		if err := one(d.tx.ExecContext(ctx, "INSERT INTO dbo."+name+" ("+strings.Join(t.columns, ", ")+") VALUES ("+strings.Join(holes, ", ")+")", values...)); err != nil {
			return fmt.Errorf("insert %s %s: %w", name, key, err)
		}
		d.n.Inserted++
		d.keep = append(d.keep, func() { w.keys[name] = append(w.keys[name], key) })
	}
	return nil
}

func (w *writer) update(ctx context.Context, d *deed, name string, n int, text string, value func() any) error {
	for _, key := range w.some(d, name, n) {
		if err := one(d.tx.ExecContext(ctx, text, append([]any{value()}, keyArgs(name, key)...)...)); err != nil {
			return fmt.Errorf("update %s %s: %w", name, key, err)
		}
		d.n.Updated++
	}
	return nil
}

func (w *writer) remove(ctx context.Context, d *deed, name string, n int) error {
	where := map[string]string{"orders": "id = @p1", "customers": "code = @p1", "stock": "warehouse = @p1 AND product = @p2"}[name]
	if len(w.keys[name])-n < w.low[name] {
		return nil
	}
	for _, key := range w.some(d, name, n) {
		w.goes(d, name, key)
		if err := one(d.tx.ExecContext(ctx, "DELETE FROM dbo."+name+" WHERE "+where, keyArgs(name, key)...)); err != nil {
			return fmt.Errorf("delete %s %s: %w", name, key, err)
		}
		d.n.Deleted++
		if name == "stock" {
			d.keep = append(d.keep, func() { w.sold = append(w.sold, key) })
		}
	}
	return nil
}

// rename changes a key, half of the time in a way that the key's own collation
// does not see: for the database it is the same one, for the cloud another.
func (w *writer) rename(ctx context.Context, d *deed) error {
	if w.rand.IntN(2) == 0 && len(w.keys["customers"]) <= w.low["customers"] {
		return nil
	}
	for _, key := range w.some(d, "customers", 1) {
		other := strings.ToUpper(key)
		if other == key || w.rand.IntN(2) == 0 {
			other = customerCode(w.next["customers"])
			w.next["customers"] += w.of
		}
		w.goes(d, "customers", key)
		if err := one(d.tx.ExecContext(ctx, "UPDATE dbo.customers SET code = @p1 WHERE code = @p2", other, key)); err != nil {
			return fmt.Errorf("rename %s: %w", key, err)
		}
		d.n.Rekeyed++
		d.keep = append(d.keep, func() { w.keys["customers"] = append(w.keys["customers"], other) })
	}
	return nil
}

// goes notes that a key will be gone if the transaction commits.
func (w *writer) goes(d *deed, name, key string) {
	gone := deletion{name, tableNamed(name).quoted(key)}
	w.ledger.expect(gone.Table, gone.Key)
	d.gone = append(d.gone, gone)
	d.keep = append(d.keep, func() {
		for i, k := range w.keys[name] {
			if k == key {
				w.keys[name] = append(w.keys[name][:i], w.keys[name][i+1:]...)
				return
			}
		}
	})
}

// some picks keys that the transaction has not yet taken away.
func (w *writer) some(d *deed, name string, n int) (keys []string) {
	all := w.keys[name]
	taken := map[string]bool{}
	for _, g := range d.gone {
		if g.Table == name {
			taken[g.Key] = true
		}
	}
	for range min(n, len(all)) {
		key := pick(w.rand, all)
		if q := tableNamed(name).quoted(key); !taken[q] {
			taken[q] = true
			keys = append(keys, key)
		}
	}
	return keys
}

// keyArgs are the parameters that a key is.
func keyArgs(name, key string) []any {
	switch name {
	case "orders":
		n, _ := strconv.Atoi(key) // the writer's own
		return []any{n}
	case "stock":
		warehouse, product, _ := strings.Cut(key, ",")
		n, _ := strconv.Atoi(product)
		return []any{warehouse, n}
	}
	return []any{key}
}

// quoted is the writer's key as the comparison writes it.
func (t table) quoted(key string) string {
	switch t.name {
	case "orders":
		return key
	case "stock":
		warehouse, product, _ := strings.Cut(key, ",")
		return strconv.Quote(warehouse) + "," + product
	}
	return strconv.Quote(key)
}

func tableNamed(name string) table {
	for _, t := range tables {
		if t.name == name {
			return t
		}
	}
	panic("soak: no table " + name)
}

// one fails unless a statement has changed one row: otherwise the writer's
// book is wrong.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n != 1 {
		err = fmt.Errorf("%d rows changed", n)
	}
	return err
}

// pause waits, or returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
