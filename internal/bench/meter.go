package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tidemark/internal/bench/cputime"
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
	pg, err := cputime.OfServer(ctx, m.conn)
	return used{source: cputime.Of(m.source), api: cputime.Of(m.api), postgres: pg}, err
}

func (u used) minus(v used) used {
	return used{source: u.source - v.source, reader: u.reader - v.reader, api: u.api - v.api, postgres: u.postgres - v.postgres}
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
	return after.minus(before), err
}

// once runs the agent and returns what all used until the rows were uploaded.
func (m meter) once(ctx context.Context, s *site) (r run, u used, err error) {
	before, err := m.read(ctx)
	if err != nil {
		return r, u, err
	}
	var after used
	var failed error
	r, err = s.programs.once(ctx, s.config, func() { after, failed = m.read(ctx) })
	if err == nil && r.uploaded == 0 {
		err = errors.New("the agent uploaded nothing")
	}
	after.reader = r.uploadedCPU
	return r, after.minus(before), errors.Join(err, failed)
}

func (u used) total() time.Duration { return u.source + u.reader + u.api + u.postgres }

func (u used) String() string {
	var parts []string
	for _, p := range []struct {
		name string
		d    time.Duration
	}{{"source", u.source}, {"reader", u.reader}, {"API", u.api}, {"Postgres", u.postgres}} {
		if p.d > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f", p.name, p.d.Seconds()))
		}
	}
	return strings.Join(parts, ", ")
}
