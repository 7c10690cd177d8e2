package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"tidemark/agent/config"
	"tidemark/internal/fault"
)

// What the patterns of the configuration took when the service last looked is
// in the state directory: for commands that do not connect, and for a start
// while a server is away. It can be lost.
const takenFile = "tables.json"

// taken is that, by source.
type taken map[string][]config.TableName

func (t taken) equal(other taken) bool {
	if len(t) != len(other) {
		return false
	}
	for source, names := range t {
		if !slices.Equal(names, other[source]) {
			return false
		}
	}
	return true
}

// recall takes what patterns took before.
func recall(c *config.Config) {
	if !patterned(c) {
		return
	}
	b, err := os.ReadFile(filepath.Join(c.StateDir, takenFile))
	var t taken
	if err != nil || json.Unmarshal(b, &t) != nil {
		return // nothing is known, as before the first start
	}
	for source, names := range t {
		c.Expand(source, names)
	}
}

func patterned(c *config.Config) bool {
	return slices.ContainsFunc(c.Sources, func(s config.Source) bool { return len(s.Patterns) > 0 })
}

// resolve looks which tables the patterns take now. A source that does not
// answer keeps what it had; it is an error where that is nothing, and so is a
// pattern that takes no table.
func resolve(ctx context.Context, c *config.Config) error {
	found := make([]struct {
		names []config.TableName
		err   error
	}, len(c.Sources))
	var asking sync.WaitGroup // one that is away holds no other back
	for i, s := range c.Sources {
		if len(s.Patterns) > 0 {
			asking.Go(func() { found[i].names, found[i].err = listTables(ctx, s) })
		}
	}
	asking.Wait()
	var errs []error
	for i, s := range c.Sources {
		if len(s.Patterns) == 0 {
			continue
		}
		names, err := found[i].names, found[i].err
		if err == nil {
			for _, p := range c.Expand(s.Name, names) {
				errs = append(errs, fault.New(fmt.Sprintf("look for the tables of %s", p), errIdle,
					"is the pattern right, and does the login have SELECT on the tables?"))
			}
		} else if len(s.Taken()) == 0 {
			errs = append(errs, fault.New("look for the tables of source "+s.Name, err, ""))
		}
	}
	return errors.Join(errs...)
}

var errIdle = errors.New("there are none that can be synced")

// listTables lists the tables of a source that can be synced.
func listTables(ctx context.Context, s config.Source) ([]config.TableName, error) {
	source, err := openSource(s)
	if err != nil {
		return nil, err
	}
	defer func() { _ = source.Close() }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	catalog, err := source.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	var names []config.TableName
	for _, t := range catalog {
		if t.Refused == "" {
			names = append(names, nameOf(t))
		}
	}
	return names, nil
}

// takenBy is what the patterns of a configuration took.
func takenBy(c *config.Config) taken {
	t := taken{}
	for _, s := range c.Sources {
		if len(s.Patterns) > 0 {
			t[s.Name] = s.Taken()
		}
	}
	return t
}

// remember keeps what the patterns took.
func remember(c *config.Config) error {
	if !patterned(c) {
		return nil
	}
	b, err := json.Marshal(takenBy(c))
	if err == nil {
		err = os.MkdirAll(c.StateDir, 0o700)
	}
	if err == nil {
		err = replaceFile(filepath.Join(c.StateDir, takenFile), b)
	}
	return fault.New("remember which tables there are", err, "")
}

// settle is resolve and remember, for the service.
func settle(ctx context.Context, c *config.Config) error {
	err := resolve(ctx, c)
	if kept := remember(c); err == nil {
		err = kept
	}
	return err
}

// outgrown tells whether the patterns of the file would take other tables now.
func (a *app) outgrown(ctx context.Context, before taken) bool {
	if len(before) == 0 {
		return false
	}
	c, err := a.config()
	if err != nil {
		return false // that is the follower's to find
	}
	_ = resolve(ctx, c) // what it could not find stays
	return !takenBy(c).equal(before)
}
