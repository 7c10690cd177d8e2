package uploader

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// Versions returns the versions of all tables of the customer. When nothing
// has changed since the last call, the answer is one line.
func (c *Client) Versions(ctx context.Context) (wire.Versions, error) {
	v, err := get(ctx, c, &c.versions, "ask for the versions", "versions", func(v wire.Versions) error {
		if v.Tables == nil {
			return errors.New("it holds no tables")
		}
		return nil
	})
	v.Tables = maps.Clone(v.Tables)
	return v, err
}

// Policy returns what the operator allows. When nothing has changed since the
// last call, the answer is one line. What it holds must not be changed.
func (c *Client) Policy(ctx context.Context) (wire.Policy, error) {
	return get(ctx, c, &c.policy, "ask for the policy", "policy", func(wire.Policy) error { return nil })
}

// PolicyChanged tells whether an answer has announced another policy than the
// one that Policy returned last.
func (c *Client) PolicyChanged() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tag != "" && c.tag != c.policy.tag
}

// get fetches a document of the customer that has an ETag.
func get[T any](ctx context.Context, c *Client, have *tagged[T], op, name string, check func(T) error) (T, error) {
	c.mu.Lock()
	old := *have
	c.mu.Unlock()
	r := &request{op: op, method: http.MethodGet, path: []string{name}, header: http.Header{}}
	if old.tag != "" {
		r.header.Set("If-None-Match", old.tag)
	}
	fresh := old
	r.accept = func(a *reply) error {
		if a.status == http.StatusNotModified {
			return nil
		}
		var doc T
		if err := a.document(&doc); err != nil {
			return err
		}
		fresh = tagged[T]{a.header.Get("ETag"), doc}
		return check(doc)
	}
	if err := c.call(ctx, r); err != nil {
		var none T
		return none, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*have = fresh
	return fresh.doc, nil
}

// Table returns version and schema of a table. One that is not registered is
// a *Stop with the problem wire.NotFound.
func (c *Client) Table(ctx context.Context, table string) (wire.Table, error) {
	var t wire.Table
	err := c.call(ctx, &request{
		op: "ask for table " + table, table: table, method: http.MethodGet, path: []string{"tables", table},
		accept: func(a *reply) error { return a.table(&t, table) },
	})
	return t, err
}

// Register makes a schema the table's. A schema that does not fit what is
// there is a *Stop with the problem wire.SchemaConflict.
func (c *Client) Register(ctx context.Context, table string, s wire.Schema) (wire.Table, error) {
	op := "register the columns of " + table
	body, err := json.Marshal(s)
	if err != nil {
		return wire.Table{}, fault.New(op, err, "")
	}
	var t wire.Table
	err = c.call(ctx, &request{
		op: op, table: table, method: http.MethodPut, path: []string{"tables", table, "schema"},
		header: http.Header{"Content-Type": {"application/json"}}, body: body,
		accept: func(a *reply) error { return a.table(&t, table) },
	})
	return t, err
}

func (r *reply) table(into *wire.Table, name string) error {
	if err := r.document(into); err != nil {
		return err
	}
	if into.Name != name {
		return fmt.Errorf("it is about table %q, not %q", into.Name, name)
	}
	return nil
}
