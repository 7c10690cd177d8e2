package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A meter reads the processor time of the processes that run all along.
type meter struct {
	api, source int // process ids
	conn        *pgx.Conn
}

// used is processor time by process.
type used struct {
	source, reader, api, postgres time.Duration // the reader is the agent or a baseline
}

func (m meter) read(ctx context.Context) (used, error) {
	pg, err := cpuOfServer(ctx, m.conn)
	return used{source: cpuOf(m.source), api: cpuOf(m.api), postgres: pg}, err
}

// during returns what f used beside its own process.
func (m meter) during(ctx context.Context, f func() error) (used, error) {
	before, err := m.read(ctx)
	if err != nil {
		return used{}, err
	}
	if err := f(); err != nil {
		return used{}, err
	}
	after, err := m.read(ctx)
	return used{source: after.source - before.source, api: after.api - before.api, postgres: after.postgres - before.postgres}, err
}

func (u used) total() time.Duration { return u.source + u.reader + u.api + u.postgres }

func (u used) String() string {
	var parts []string
	for _, p := range []struct {
		name string
		d    time.Duration
	}{{"source", u.source}, {"agent", u.reader}, {"API", u.api}, {"Postgres", u.postgres}} {
		if p.d > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f", p.name, p.d.Seconds()))
		}
	}
	return strings.Join(parts, ", ")
}
