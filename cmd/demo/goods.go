package main

import "math/rand/v2"

// goods are the keys that the writer knows to be committed.
type goods struct {
	orders    []int
	customers []string
	stock     []stockKey

	nextOrder, nextCustomer, nextStock int
}

func newGoods() goods {
	g := goods{nextOrder: 1}
	for _, t := range tables {
		for i := range t.rows {
			switch t.name {
			case "orders":
				g.orders = append(g.orders, g.nextOrder)
				g.nextOrder++
			case "customers":
				g.customers = append(g.customers, customerCode(i))
				g.nextCustomer++
			case "stock":
				g.stock = append(g.stock, stockOf(i))
				g.nextStock++
			}
		}
	}
	return g
}

// some picks up to n of all, but no more than a tenth, and moves them to the
// end.
func some[T any](r *rand.Rand, all []T, n int) []T {
	n = max(1, min(n, len(all)/10))
	for i := range n {
		last := len(all) - 1 - i
		j := r.IntN(last + 1)
		all[j], all[last] = all[last], all[j]
	}
	return all[len(all)-n:]
}
