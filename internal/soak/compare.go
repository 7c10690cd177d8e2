//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tidemark/cloud"
	"tidemark/cloud/postgres"
)

// shown is how many differences are told.
const shown = 5

// A copyOf reads what the cloud has, past the API: the operator's export.
type copyOf struct {
	dsn string

	mu    sync.Mutex // one reader at a time
	store *postgres.Store
}

// rows are a table's by key.
func (c *copyOf) rows(ctx context.Context, t table) (map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if c.store == nil {
		s, err := postgres.Open(ctx, c.dsn, postgres.Options{Connections: 1})
		if err != nil {
			return nil, err
		}
		c.store = s
	}
	all := map[string]string{}
	err := c.store.Rows(ctx, customer, t.dataset(), func(in cloud.Row) error {
		key, row, err := t.cloudText(in)
		all[key] = row
		return err
	})
	return all, err
}

func (c *copyOf) close() error {
	if c.store == nil {
		return nil
	}
	s := c.store
	c.store = nil
	return s.Close()
}

// errDiffer says that the two sides are not equal.
var errDiffer = errors.New("the two sides differ")

// equal compares all rows of all tables; it returns how many there are.
func equal(ctx context.Context, s *source, c *copyOf, tables []table) (rows int, err error) {
	for _, t := range tables {
		here, err := s.ask(order{Rows: t.name})
		if err != nil {
			return 0, err
		}
		there, err := c.rows(ctx, t)
		if err != nil {
			return 0, err
		}
		rows += len(here.Rows)
		if told := differences(here.Rows, there); len(told) > 0 {
			return 0, fmt.Errorf("%w: %s: %d rows, the first: %s", errDiffer, t.name, len(told), strings.Join(told[:min(shown, len(told))], "; "))
		}
	}
	return rows, nil
}

// differences tells the keys at which two sides differ, in order.
func differences(here, there map[string]string) (told []string) {
	for key, h := range here {
		switch c, ok := there[key]; {
		case !ok:
			told = append(told, key+" is not in the cloud")
		case c != h:
			told = append(told, fmt.Sprintf("%s is (%s) at the source, (%s) in the cloud", key, h, c))
		}
	}
	for key := range there {
		if _, ok := here[key]; !ok {
			told = append(told, key+" is in the cloud only")
		}
	}
	slices.Sort(told)
	return told
}
