package mssqltest

import (
	"context"
	"errors"
	"slices"

	"tidemark/internal/mssqltest/tds"
)

// handler puts the log and the faults between protocol and engine.
type handler struct{ server *Server }

func (h handler) Login(ctx context.Context, l tds.Login) (tds.Session, error) {
	inner, err := h.server.engine.Login(ctx, l)
	if err != nil {
		return nil, err
	}
	l.Password = ""
	return &session{inner, h.server, l}, nil
}

type session struct {
	tds.Session
	server *Server
	login  tds.Login
}

// log enters a request, with what came of it, when it has ended.
func (s *session) log(kind, sql string, params []tds.Param, run func() (rows int64, err error)) error {
	st := Statement{Kind: kind, Login: s.login, SQL: sql, At: s.server.log.now()}
	for _, p := range params {
		p.Value = slices.Clone(p.Value)
		st.Params = append(st.Params, p)
	}
	st.Rows, st.Err = run()
	st.Duration = s.server.log.now().Sub(st.At)
	s.server.log.add(st)
	return st.Err
}

func (s *session) Batch(ctx context.Context, sql string, params []tds.Param, w tds.Writer) error {
	return s.log(Batch, sql, params, func() (int64, error) {
		f := s.server.faults.take(sql)
		out := &writer{Writer: w, fault: f}
		err := f.before(ctx)
		if err == nil {
			err = s.Session.Batch(ctx, sql, params, out)
		}
		var e *tds.Error
		if f != nil && errors.As(err, &e) && e.Number == Deadlock.Number && s.Transaction() != 0 {
			// A victim's transaction is gone.
			err = errors.Join(err, s.Session.Rollback(ctx))
			if errors.As(err, &e) {
				err = e
			}
		}
		return out.rows, err
	})
}

func (s *session) Begin(ctx context.Context, level tds.Isolation) (id uint64, err error) {
	err = s.log(Begin, "", nil, func() (int64, error) {
		id, err = s.Session.Begin(ctx, level)
		return 0, err
	})
	return id, err
}

func (s *session) Commit(ctx context.Context) error {
	return s.log(Commit, "", nil, func() (int64, error) { return 0, s.Session.Commit(ctx) })
}

func (s *session) Rollback(ctx context.Context) error {
	return s.log(Rollback, "", nil, func() (int64, error) { return 0, s.Session.Rollback(ctx) })
}

// writer counts rows and fails after the number that a fault says.
type writer struct {
	tds.Writer
	fault *Fault
	rows  int64
}

func (w *writer) Row(values [][]byte) error {
	if w.fault != nil && w.fault.Err != nil && w.rows >= int64(w.fault.Rows) {
		return w.fault.Err
	}
	w.rows++
	return w.Writer.Row(values)
}
