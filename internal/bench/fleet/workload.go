package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A kind is one table that every customer has.
type kind struct {
	name string
	rows int     // to begin with
	rate float64 // transactions that change it, in a working hour
}

// kinds of tables: two that are large and busy, four that are middling, and
// small ones that hardly change. The last is rolled out at the end.
var kinds = func() []kind {
	all := []kind{{"dbo.orders", 1000, 1.5}, {"dbo.lines", 1000, 0.5}}
	for _, name := range []string{"stock", "customers", "payments", "prices"} {
		all = append(all, kind{"dbo." + name, 200, 0.4})
	}
	for _, name := range []string{"users", "branches", "suppliers", "articles", "taxes", "units", "currencies", "countries",
		"tills", "shifts", "discounts", "groups", "printers", "settings"} {
		all = append(all, kind{"dbo." + name, 20, 0.05})
	}
	return append(all, kind{"dbo.vouchers", 200, 0.4})
}()

// initial is how many tables there are before the rollout.
const initial = 20

// A workload is what happens in the databases of a fleet. The same seed always
// gives the same.
type workload struct {
	seed      uint64
	customers int
}

// level is how busy an hour of the day is, of a working hour.
func level(hour int) float64 {
	switch h := hour % 24; {
	case h < 6 || h >= 22:
		return 0
	case h < 8 || h >= 18:
		return 0.25
	}
	return 1
}

// A change is one transaction in a customer's database.
type change struct {
	at                        time.Duration // since the beginning of its hour
	table                     int
	updates, inserts, deletes int // rows
	seed                      uint64
}

// hour returns the changes of one hour, counted from the first day, in order.
func (w workload) hour(customer, hour int) []change {
	r := rand.New(rand.NewPCG(w.seed, uint64(customer)<<32|uint64(hour)))
	var all []change
	for table, k := range kinds {
		rate := k.rate * level(hour) / float64(time.Hour)
		if rate == 0 {
			continue
		}
		for at := r.ExpFloat64() / rate; at < float64(time.Hour); at += r.ExpFloat64() / rate {
			c := change{at: time.Duration(at), table: table, seed: r.Uint64()}
			for range 1 + int(math.Min(40, r.ExpFloat64()*8)) {
				switch draw := r.IntN(100); {
				case draw < 72:
					c.updates++
				default:
					c.inserts++
				}
			}
			if r.IntN(30) == 0 {
				c.deletes = 1 + r.IntN(3)
			}
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b change) int { return int(a.at - b.at) })
	return all
}
