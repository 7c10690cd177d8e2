package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"tidemark/cloud"
)

// shown is how many differences of a table are told.
const shown = 5

// A proof is what reading every row of both sides has found.
type proof []tableProof

type tableProof struct {
	name        string
	here, cloud int // rows
	differ      int
	differences []string // the first of them, by key
}

func (p proof) equal() bool {
	return !slices.ContainsFunc(p, func(t tableProof) bool { return t.differ > 0 })
}

// prove reads all rows of all tables on both sides: from the source as any
// program would, past Tidemark, and from the cloud's store.
func prove(ctx context.Context, source *sql.DB, store cloud.Store) (proof, error) {
	var p proof
	for _, t := range tables {
		schema, err := store.Table(ctx, customer, t.name)
		if err != nil {
			return nil, fmt.Errorf("proof: %s in the cloud: %w", t.name, err)
		}
		here, err := sourceRows(ctx, source, t.name, schema.Schema)
		if err != nil {
			return nil, fmt.Errorf("proof: %s at the source: %w", t.name, err)
		}
		there, err := cloudRows(ctx, store, t.name, schema.Schema)
		if err != nil {
			return nil, fmt.Errorf("proof: %s in the cloud: %w", t.name, err)
		}
		one := compare(here, there)
		one.name = t.name
		p = append(p, one)
	}
	return p, nil
}

// A row is its columns' values as text, with their names.
type row []field

type field struct{ name, value string }

// compare holds two sides, rows by key, against each other.
func compare(here, there map[string]row) tableProof {
	p := tableProof{here: len(here), cloud: len(there)}
	keys := maps.Clone(here)
	maps.Copy(keys, there)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		h, isHere := here[key]
		c, isThere := there[key]
		var what string
		switch {
		case !isThere:
			what = "not in the cloud"
		case !isHere:
			what = "in the cloud only"
		case !slices.Equal(h, c):
			what = firstDifference(h, c)
		default:
			continue
		}
		if p.differ++; p.differ <= shown {
			p.differences = append(p.differences, key+": "+what)
		}
	}
	return p
}

func firstDifference(here, there row) string {
	for i, h := range here {
		if i < len(there) && h != there[i] {
			return fmt.Sprintf("%s is %s here, %s in the cloud", h.name, h.value, there[i].value)
		}
	}
	return "other columns"
}
