package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// Error codes, from the PostgreSQL manual, appendix "PostgreSQL Error Codes".
const (
	codeText          = "22021" // a character that no text can hold
	codeForeignKey    = "23503"
	codeUnique        = "23505"
	codePrivilege     = "42501"
	codeSerialization = "40001"
	codeDeadlock      = "40P01"
	codeTooMany       = "53300" // the server has no connection left
	codeLock          = "55P03" // lock_timeout
)

func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// isTransient tells whether the same transaction can succeed when it is run
// again at once.
func isTransient(err error) bool {
	return slices.Contains([]string{codeSerialization, codeDeadlock, codeLock, codeUnique}, code(err)) || errors.Is(err, errStale)
}

// isRowError tells whether Postgres refused a value or a row, not the
// statement: data exceptions, constraints, and limits such as the size of an
// index entry.
func isRowError(err error) bool {
	c := code(err)
	return len(c) == 5 && (c[:2] == "22" || c[:2] == "23" || c[:2] == "54")
}

// unavailable marks errors that pass by themselves: no connection, a broken
// one, a server that starts, stops, has no room or ended the statement.
func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, new(*wire.Problem)) {
		return err
	}
	passes := isTransient(err)
	switch c := code(err); {
	case len(c) == 5:
		switch c[:2] {
		case "08", "53", "57", "25": // connection, resources, operator, transaction state (ended while idle, read-only standby)
			passes = true
		}
	case errors.As(err, new(net.Error)), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.As(err, new(*pgconn.ConnectError)), pgconn.SafeToRetry(err), pgconn.Timeout(err):
		passes = true
	}
	if !passes {
		return err
	}
	return fmt.Errorf("%w: %w", cloud.ErrUnavailable, err)
}

func notFound(what, hint string) *wire.Problem {
	return wire.NewProblem(wire.NotFound, what, hint)
}
