package cost

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// topCustomers is how many customers are in metrics, by name.
const topCustomers = 10

// Balance returns the model of the volume as it is; not ok when there is none.
func (k *Keeper) Balance() (Balance, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.balance == nil {
		return Balance{}, false
	}
	return *k.balance, true
}

// WriteMetrics writes what is known in the text format of Prometheus. Labels
// are endpoints, at most maxLines of them with a dataset, and the customers
// that cost most in the last minute.
func (k *Keeper) WriteMetrics(w io.Writer) {
	k.writeRequests(w)
	k.mu.Lock()
	now, failed := k.now, k.failed
	k.mu.Unlock()
	one(w, "tidemark_cost_write_failed_total", "counter", "times that costs could not be written down", float64(failed))
	if now != nil {
		now.write(w)
	}
	if b, ok := k.Balance(); ok {
		b.write(w)
	}
}

func (k *Keeper) writeRequests(w io.Writer) {
	lines := k.Meter.Totals()
	for _, f := range []struct {
		name, help string
		value      func(Sums) float64
	}{
		{"requests", "requests of customers", func(s Sums) float64 { return float64(s.Requests) }},
		{"failed", "requests answered with a status from 500 on", func(s Sums) float64 { return float64(s.Failed) }},
		{"seconds", "time of requests", func(s Sums) float64 { return s.Time.Seconds() }},
		{"rows", "lines of bodies", func(s Sums) float64 { return float64(s.Rows) }},
		{"rows_changed", "rows inserted, updated or deleted", func(s Sums) float64 { return float64(s.Changed) }},
		{"bytes_in", "bytes of bodies as sent", func(s Sums) float64 { return float64(s.BytesIn) }},
		{"bytes_out", "bytes of answers as sent", func(s Sums) float64 { return float64(s.BytesOut) }},
		{"blocks_read", "blocks that requests had the database ask the system for", func(s Sums) float64 { return float64(s.Read) }},
		{"blocks_hit", "blocks that requests found in the database's memory", func(s Sums) float64 { return float64(s.Hit) }},
	} {
		name := "tidemark_cost_" + f.name + "_total"
		family(w, name, "counter", f.help)
		for _, l := range lines {
			_, _ = fmt.Fprintf(w, "%s{endpoint=%s,dataset=%s} %s\n", name, label(l.Name), label(l.Dataset), number64(f.value(l.Sums)))
		}
	}
	top := k.Meter.Heaviest(topCustomers)
	family(w, "tidemark_cost_customer_seconds", "gauge", "time of requests in the last whole minute, of the customers that took most")
	for _, l := range top {
		_, _ = fmt.Fprintf(w, "tidemark_cost_customer_seconds{customer=%s} %s\n", label(l.Name), number64(l.Time.Seconds()))
	}
	family(w, "tidemark_cost_customer_blocks_read", "gauge", "blocks read for them in that minute")
	for _, l := range top {
		_, _ = fmt.Fprintf(w, "tidemark_cost_customer_blocks_read{customer=%s} %d\n", label(l.Name), l.Read)
	}
}

func (c *Counters) write(w io.Writer) {
	one(w, "tidemark_database_seen_timestamp_seconds", "gauge", "Unix time at which the counters below were read", float64(c.At.UnixMilli())/1000)
	one(w, "tidemark_database_reads_total", "counter", "operations of the database server that read", float64(c.Reads))
	one(w, "tidemark_database_writes_total", "counter", "operations of the database server that wrote", float64(c.Writes))
	one(w, "tidemark_database_blocks_read_total", "counter", "blocks of 8 KiB that the database server asked the system for", float64(c.Read))
	one(w, "tidemark_database_blocks_hit_total", "counter", "blocks that the database server had in its own memory", float64(c.Hit))
	one(w, "tidemark_database_log_bytes_total", "counter", "bytes of write-ahead log", float64(c.Log))
	one(w, "tidemark_database_connections", "gauge", "connections that the database server has", float64(c.Connections))
	one(w, "tidemark_database_max_connections", "gauge", "connections that it takes", float64(c.MaxConnections))
	one(w, "tidemark_database_replicas", "gauge", "replicas that are connected to it", float64(c.Replicas))
	if c.Lag >= 0 {
		one(w, "tidemark_database_replication_lag_seconds", "gauge", "how far the last of its replicas is behind", c.Lag.Seconds())
	}
	names := slices.SortedFunc(maps.Keys(c.Datasets), cmp.Compare[string])
	for _, f := range []struct {
		name, help string
		value      func(Counted) int64
	}{
		{"blocks_read", "blocks of the dataset's tables that were asked of the system, for requests and all else", func(d Counted) int64 { return d.Read }},
		{"blocks_hit", "blocks of the dataset's tables that were in the server's memory", func(d Counted) int64 { return d.Hit }},
		{"rows_changed", "rows inserted, updated and deleted", func(d Counted) int64 { return d.Changed }},
	} {
		name := "tidemark_dataset_" + f.name + "_total"
		family(w, name, "counter", f.help)
		for _, dataset := range names {
			_, _ = fmt.Fprintf(w, "%s{dataset=%s} %d\n", name, label(dataset), f.value(c.Datasets[dataset]))
		}
	}
}

func (b Balance) write(w io.Writer) {
	empty := math.Inf(1)
	if in, ok := b.Empty(); ok {
		empty = in.Seconds()
	}
	one(w, "tidemark_io_operations_per_second", "gauge", "operations of the database, smoothed over five minutes", b.Rate())
	one(w, "tidemark_io_baseline_operations_per_second", "gauge", "what the volume does at any time", b.Baseline)
	one(w, "tidemark_io_balance_operations", "gauge", "operations above the baseline that are left, as modelled", b.Left)
	one(w, "tidemark_io_balance_max_operations", "gauge", "operations of a full balance", b.Credits)
	one(w, "tidemark_io_balance_empty_seconds", "gauge", "time until the balance runs out if things go on as they do; +Inf: it does not", empty)
}

// label writes a value as Prometheus reads it, which knows three escapes and
// takes all else as it is.
func label(s string) string { return `"` + labels.Replace(s) + `"` }

var labels = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func family(w io.Writer, name, kind, help string) {
	_, _ = fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func one(w io.Writer, name, kind, help string, value float64) {
	family(w, name, kind, help)
	_, _ = fmt.Fprintf(w, "%s %s\n", name, number64(value))
}

// number64 is a number as Prometheus reads it; whole ones have no exponent.
func number64(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return fmt.Sprintf("%d", int64(v))
	}
	return fmt.Sprintf("%g", v)
}

// Figures are what a rollout watches.
type Figures struct {
	BlocksRead float64       // a second, of the whole server
	Lag        time.Duration // of the replica that is furthest behind; -1: not known, or there is none
}

// Figures returns the latest; not ok when nothing was counted lately.
func (k *Keeper) Figures() (Figures, bool) {
	rates, between := k.Rates()
	if rates == nil || between <= 0 || time.Since(rates.At) > 4*lookEvery {
		return Figures{}, false
	}
	f := Figures{BlocksRead: float64(rates.Read) / between.Seconds(), Lag: rates.Lag}
	if rates.Replicas == 0 { // one that fell off is not one that keeps up
		f.Lag = -1
	}
	return f, true
}
