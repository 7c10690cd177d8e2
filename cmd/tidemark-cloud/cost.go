package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"tidemark/cloud"
	"tidemark/cloud/cost"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

func newCost(a *app) *cobra.Command {
	q := cost.Query{}
	var by string
	var since time.Duration
	var volume volumeFlag
	c := &cobra.Command{
		Use:   "cost",
		Short: "Tell what was spent on which table, customer or endpoint",
		Long: `Tells what requests have cost the database: time, rows, and of Postgres the
blocks of 8 KiB that it read (asked the system for) and hit (had in its own
memory). By dataset, READ is everything that Postgres has counted for the
table, upkeep and vacuum too; by customer and endpoint it is what their requests
read. WAL is an estimate: the part of the write-ahead log that the changed rows
have, by their number and size. The dataset "-" is what belongs to no table:
versions, policies, and what is kept about tables. A SQLite store tells time,
rows and bytes alone.

Of customers those are told that took most time in each hour; the others are
summed up as (other). Minutes are kept for 6 hours, hours for 90 days.

With --io-volume as serve has it, it says how much is left of the volume's
burst, as the last 6 hours leave it, and when it runs out.`,
		Example: `  tidemark-cloud cost
  tidemark-cloud cost --by customer --dataset dbo.orders --since 2h
  tidemark-cloud cost --io-volume gp2:500`,
		Args: cobra.NoArgs,
	}
	a.storeFlag(c.Flags())
	c.Flags().StringVar(&by, "by", string(cost.ByDataset), "dataset, customer or endpoint")
	c.Flags().DurationVar(&since, "since", 24*time.Hour, "how far back")
	c.Flags().StringVar(&q.Dataset, "dataset", "", "tell only of this one")
	c.Flags().StringVar(&q.Customer, "customer", "", "tell only of this one, by dataset")
	volume.add(c.Flags())
	asJSON := jsonFlag(c)
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, _ []string) error {
		if since <= 0 || since > cost.KeepHours {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("--since "+since.String()+" is no time that is kept"), "for example --since 24h; 2160h is the most")}
		}
		v, err := volume.volume()
		if err != nil {
			return err
		}
		q.By, q.Now = cost.By(by), time.Now()
		q.Since, q.Until = q.Now.Add(-since), q.Now
		if err := q.Check(); err != nil {
			return &command.UsageError{Err: fault.New("read the command line", err, "`tidemark-cloud cost --help` has examples")}
		}
		var r *cost.Report
		var b *cost.Balance
		err = a.withStore(c.Context(), func(s cloud.Store) (err error) {
			if r, err = cost.Read(c.Context(), s, q); err == nil && v != (cost.Volume{}) {
				b, err = cost.Recall(c.Context(), s, v, q.Now)
			}
			return err
		})
		switch {
		case err != nil:
			return fault.New("tell what was spent", err, "")
		case *asJSON:
			return a.printJSON(costDocument{SchemaVersion: 1, Report: r, Balance: newBalanceDocument(b)})
		}
		return printCosts(a.out, r, b)
	}
	return c
}

// costDocument is what --json prints.
type costDocument struct {
	SchemaVersion int `json:"schema_version"`
	*cost.Report
	Balance *balanceDocument `json:"io_balance,omitempty"`
}

// balanceDocument is the model of a volume in operations and seconds.
type balanceDocument struct {
	Left     float64  `json:"left"`
	Of       float64  `json:"of"`
	Baseline float64  `json:"baseline_per_second"`
	Rate     float64  `json:"rate_per_second"`
	Empty    *float64 `json:"empty_in_seconds"` // null: it does not run out
}

func newBalanceDocument(b *cost.Balance) *balanceDocument {
	if b == nil {
		return nil
	}
	d := &balanceDocument{Left: b.Left, Of: b.Credits, Baseline: b.Baseline, Rate: b.Rate()}
	if in, ok := b.Empty(); ok {
		seconds := in.Seconds()
		d.Empty = &seconds
	}
	return d
}

func printCosts(out io.Writer, r *cost.Report, b *cost.Balance) error {
	if len(r.Entries) == 0 {
		_, err := fmt.Fprintln(out, "nothing was spent; `tidemark-cloud serve` writes down what is, once a minute")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) // Flush tells what goes wrong
	head := map[cost.By]string{cost.ByDataset: "DATASET", cost.ByCustomer: "CUSTOMER", cost.ByEndpoint: "ENDPOINT"}[r.By]
	blocks := ""
	if r.Counted {
		blocks = "READ\tHIT\tWAL\t"
	}
	_, _ = fmt.Fprintf(w, "%s\t%sREQUESTS\tFAILED\tTIME\tROWS\tCHANGED\tIN\tOUT\n", head, blocks)
	line := func(name string, e cost.Entry) {
		_, _ = fmt.Fprintf(w, "%s\t", cmp.Or(name, "-"))
		if r.Counted {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t", humanize.Comma(max(e.AllRead, e.Read)), humanize.Comma(max(e.AllHit, e.Hit)), humanize.IBytes(uint64(e.Log)))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", humanize.Comma(e.Requests), humanize.Comma(e.Failed), e.Time.Round(time.Millisecond),
			humanize.Comma(e.Rows), humanize.Comma(e.Changed), humanize.IBytes(uint64(e.BytesIn)), humanize.IBytes(uint64(e.BytesOut)))
	}
	for _, e := range r.Entries {
		line(e.Name, e)
	}
	if len(r.Entries) > 1 {
		line("all", r.Total)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if !r.Counted {
		if _, err := fmt.Fprintln(out, "\nThe store does not count blocks and log: time, rows and bytes are all that is known."); err != nil {
			return err
		}
	}
	return printBalance(out, b)
}

func printBalance(out io.Writer, b *cost.Balance) error {
	if b == nil {
		return nil
	}
	when := "it does not run out as things are"
	if in, ok := b.Empty(); ok {
		when = "it runs out in " + in.Round(time.Minute).String() + " if things go on"
	}
	_, err := fmt.Fprintf(out, "\nI/O balance: %s of %s operations; %s a second are spent and %s earned: %s.\n",
		humanize.Comma(int64(b.Left)), humanize.Comma(int64(b.Credits)), humanize.Comma(int64(b.Rate())), humanize.Comma(int64(b.Baseline)), when)
	return err
}
