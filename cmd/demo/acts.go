package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// An act is one thing that the writer can do, to about n rows of a table.
type act struct {
	table string
	times int // in a deck
	do    func(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error)
}

// fewRows bounds the inserts and deletes of an act, so that the deletes of
// some seconds stay below the thousand that would wait for a person's approval.
const fewRows = 100

// Inserts and deletes are as many, so that the tables stay as large as they
// are.
var acts = []act{
	{"orders", 3, insertOrders},
	{"orders", 4, updateOrders},
	{"orders", 3, deleteOrders},
	{"customers", 1, insertCustomers},
	{"customers", 2, updateCustomers},
	{"customers", 1, renameCustomers},
	{"customers", 1, deleteCustomers},
	{"stock", 1, insertStock},
	{"stock", 3, updateStock},
	{"stock", 1, deleteStock},
	{"settings", 2, updateSettings},
}

// shuffled is a deck of acts: each comes up as often as it should, in another
// order each time.
func shuffled(r *rand.Rand) []act {
	var deck []act
	for _, a := range acts {
		for range a.times {
			deck = append(deck, a)
		}
	}
	r.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	return deck
}

func insertOrders(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	n = min(n, fewRows)
	ids, err := w.insertOrders(ctx, tx, n)
	w.goods.orders = append(w.goods.orders, ids...)
	return change{inserted: n}, "inserted " + count(n, "order"), err
}

func (w *writer) insertOrders(ctx context.Context, tx *sql.Tx, n int) (ids []int, err error) {
	for range n {
		id := w.goods.nextOrder
		w.goods.nextOrder++
		ids = append(ids, id)
		placed := time.Now().UTC().Format("2006-01-02T15:04:05.000")
		if _, err := tx.ExecContext(ctx, "INSERT INTO dbo.orders (id, customer, status, total, placed, note) VALUES (@p1, @p2, @p3, @p4, @p5, @p6)",
			id, pick(w.rand, w.goods.customers), "new", cents(w.rand, 500_00), placed, note(w.rand)); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func updateOrders(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	ids := some(w.rand, w.goods.orders, n)
	status := pick(w.rand, statuses)
	err := each(ids, func(id int) (sql.Result, error) {
		return tx.ExecContext(ctx, "UPDATE dbo.orders SET status = @p1, total = total + 1.25 WHERE id = @p2", status, id)
	})
	return change{updated: len(ids)}, fmt.Sprintf("updated %s to %q", count(len(ids), "order"), status), err
}

func deleteOrders(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	ids := some(w.rand, w.goods.orders, min(n, fewRows))
	err := each(ids, func(id int) (sql.Result, error) {
		return tx.ExecContext(ctx, "DELETE FROM dbo.orders WHERE id = @p1", id)
	})
	w.goods.orders = w.goods.orders[:len(w.goods.orders)-len(ids)]
	return change{deleted: len(ids)}, "deleted " + count(len(ids), "order"), err
}

func insertCustomers(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	n = max(1, min(n, len(w.goods.customers)/10))
	for range n {
		code := customerCode(w.goods.nextCustomer)
		w.goods.nextCustomer++
		if _, err := tx.ExecContext(ctx, "INSERT INTO dbo.customers (code, name, city, credit, active) VALUES (@p1, @p2, @p3, @p4, @p5)",
			code, pick(w.rand, names)+" Ltd", pick(w.rand, cities), "0.0001", true); err != nil {
			return change{}, "", err
		}
		w.goods.customers = append(w.goods.customers, code)
	}
	return change{inserted: n}, "inserted " + count(n, "customer"), nil
}

func updateCustomers(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	codes := some(w.rand, w.goods.customers, n)
	err := each(codes, func(code string) (sql.Result, error) {
		return tx.ExecContext(ctx, "UPDATE dbo.customers SET credit = credit + 0.0375, city = @p1 WHERE code = @p2", pick(w.rand, cities), code)
	})
	return change{updated: len(codes)}, "updated " + count(len(codes), "customer"), err
}

// renameCustomers changes keys in a way that the key's own collation does not
// see: for the database it is the same key, for the cloud another one.
func renameCustomers(ctx context.Context, w *writer, tx *sql.Tx, _ int) (change, string, error) {
	codes := some(w.rand, w.goods.customers, 3)
	err := each(codes, func(code string) (sql.Result, error) {
		other := strings.ToUpper(code)
		if other == code {
			other = strings.ToLower(code)
		}
		codes[slices.Index(codes, code)] = other
		return tx.ExecContext(ctx, "UPDATE dbo.customers SET code = @p1 WHERE code = @p2", other, code)
	})
	return change{updated: len(codes)}, fmt.Sprintf("changed the keys of %s, such as %s", count(len(codes), "customer"), codes[0]), err
}

func deleteCustomers(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	codes := some(w.rand, w.goods.customers, n)
	err := each(codes, func(code string) (sql.Result, error) {
		return tx.ExecContext(ctx, "DELETE FROM dbo.customers WHERE code = @p1", code)
	})
	w.goods.customers = w.goods.customers[:len(w.goods.customers)-len(codes)]
	return change{deleted: len(codes)}, "deleted " + count(len(codes), "customer"), err
}

func insertStock(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	n = max(1, min(n, len(w.goods.stock)/10))
	for range n {
		k := stockOf(w.goods.nextStock)
		w.goods.nextStock++
		if _, err := tx.ExecContext(ctx, "INSERT INTO dbo.stock (warehouse, product, quantity, counted) VALUES (@p1, @p2, @p3, @p4)",
			k.warehouse, k.product, w.rand.IntN(1000), time.Now().UTC().Format(time.DateOnly)); err != nil {
			return change{}, "", err
		}
		w.goods.stock = append(w.goods.stock, k)
	}
	return change{inserted: n}, "inserted " + count(n, "stock line"), nil
}

func updateStock(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	keys := some(w.rand, w.goods.stock, n)
	err := each(keys, func(k stockKey) (sql.Result, error) {
		return tx.ExecContext(ctx, "UPDATE dbo.stock SET quantity = quantity - 1 WHERE warehouse = @p1 AND product = @p2", k.warehouse, k.product)
	})
	return change{updated: len(keys)}, "updated " + count(len(keys), "stock line"), err
}

func deleteStock(ctx context.Context, w *writer, tx *sql.Tx, n int) (change, string, error) {
	keys := some(w.rand, w.goods.stock, n)
	err := each(keys, func(k stockKey) (sql.Result, error) {
		return tx.ExecContext(ctx, "DELETE FROM dbo.stock WHERE warehouse = @p1 AND product = @p2", k.warehouse, k.product)
	})
	w.goods.stock = w.goods.stock[:len(w.goods.stock)-len(keys)]
	return change{deleted: len(keys)}, "deleted " + count(len(keys), "stock line"), err
}

func updateSettings(ctx context.Context, w *writer, tx *sql.Tx, _ int) (change, string, error) {
	at := 1 + w.rand.IntN(3)
	var keys []string
	for i := range at {
		keys = append(keys, settingName((w.rand.IntN(10)+10*i)%40))
	}
	err := each(keys, func(name string) (sql.Result, error) {
		return tx.ExecContext(ctx, "UPDATE dbo.settings SET value = @p1 WHERE name = @p2", fmt.Sprint(w.rand.IntN(1_000_000)), name)
	})
	return change{updated: len(keys)}, "updated " + count(len(keys), "setting"), err
}

// each runs a statement for every key. One that changes another number of
// rows than one means that the writer's book is wrong.
func each[K any](keys []K, do func(K) (sql.Result, error)) error {
	for _, k := range keys {
		res, err := do(k)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("key %v: %d rows changed", k, n)
		}
	}
	return nil
}
