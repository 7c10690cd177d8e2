package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"
)

// ofCustomer are the tables with rows of a customer, beside those of datasets,
// in an order in which they can be emptied.
var ofCustomer = []string{"invitations", "keys", "answers", "log", "leaves", "summaries", "versions", "schemas", "policies", "tokens", "reports"}

// errStillWritten says that rows came while a customer was removed.
var errStillWritten = errors.New("rows of the customer still arrive")

// RemoveCustomer implements cloud.Customers. Servers let a customer in for some
// seconds after its keys are gone. So the end, which forgets the tables while they
// are locked, deletes what has arrived since, or goes back to the beginning when
// that is too much: no row is ever left without its table's version.
func (s *Store) RemoveCustomer(ctx context.Context, customer string) error {
	tag, err := s.pool.Exec(ctx, "SELECT FROM tidemark.customers WHERE id = $1", customer)
	if err != nil {
		return unavailable(err)
	}
	if tag.RowsAffected() == 0 {
		return unknownCustomer(customer)
	}
	for {
		err := s.removePass(ctx, customer)
		if !errors.Is(err, errStillWritten) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (s *Store) removePass(ctx context.Context, customer string) error {
	for _, table := range []string{"invitations", "keys"} {
		if _, err := s.pool.Exec(ctx, "DELETE FROM tidemark."+table+" WHERE customer = $1", customer); err != nil {
			return unavailable(err)
		}
	}
	versions, err := s.Versions(ctx, customer)
	if err != nil {
		return err
	}
	for table := range versions.Tables {
		if _, err := s.empty(ctx, customer, table, math.MaxInt32); err != nil {
			return err
		}
		for _, kept := range []string{"log", "leaves"} {
			if _, err := s.pool.Exec(ctx, "DELETE FROM tidemark."+kept+" WHERE customer = $1 AND name = $2", customer, table); err != nil {
				return unavailable(err)
			}
		}
	}
	return s.run(ctx, func(c *session) error {
		if err := c.pipeline(ctx, statement{sql: begin}); err != nil {
			return err
		}
		if err := c.dropLast(ctx, customer); err != nil {
			return err
		}
		for _, table := range ofCustomer {
			if _, err := c.Exec(ctx, "DELETE FROM tidemark."+table+" WHERE customer = $1", customer); err != nil {
				return err
			}
		}
		_, err = c.Exec(ctx, "DELETE FROM tidemark.customers WHERE id = $1", customer)
		if code(err) == codeForeignKey { // a registration that had begun before
			return errStillWritten
		}
		if err != nil {
			return err
		}
		return c.commit(ctx)
	})
}

// dropLast locks all tables of the customer and deletes what has arrived since
// the steps, when one step can.
func (c *session) dropLast(ctx context.Context, customer string) error {
	rows, err := c.Query(ctx, "SELECT name, rows FROM tidemark.versions WHERE customer = $1 ORDER BY name FOR UPDATE", customer)
	if err != nil {
		return err
	}
	var names []string
	var name string
	var n, all int64
	_, err = pgx.ForEachRow(rows, []any{&name, &n}, func() error {
		if all += n; n > 0 {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if all > dropStep {
		return errStillWritten
	}
	for _, name := range names {
		d, err := c.readDataset(ctx, name, "")
		if err != nil {
			return err
		}
		if _, err := c.Exec(ctx, "DELETE FROM "+d.target()+" WHERE customer_id = $1", customer); err != nil {
			return err
		}
	}
	return nil
}
