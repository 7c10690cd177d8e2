package sqlserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/fault"
)

// Errors that callers act on; find them with errors.Is.
var (
	// ErrSchemaChanged: the table is not as the catalog said. Read the catalog
	// again. No row of the chunk that reports it may be used.
	ErrSchemaChanged = errors.New("the table's definition has changed")
	// ErrCursor: the cursor was made for another kind of chunk or another key.
	// Begin that part again.
	ErrCursor = errors.New("the cursor does not fit the table")
	// ErrNoDelta: the table has no rowversion column, so that changes cannot
	// be told from other rows. Compare manifests instead.
	ErrNoDelta = errors.New("a table without a rowversion column has no delta")
	// ErrNoCeiling: the server cannot tell which row versions are still
	// uncommitted, and there is no safe second best.
	ErrNoCeiling = errors.New("the server has no MIN_ACTIVE_ROWVERSION()")
)

// A Class is what kind of trouble an error is, for states that people see.
type Class string

// The classes.
const (
	ClassOther      Class = "other"
	ClassLogin      Class = "login"       // name or password refused
	ClassDatabase   Class = "database"    // not there, or closed: restoring, offline, single user
	ClassPermission Class = "permission"  // a right is missing
	ClassLocked     Class = "locked"      // a lock was waited for in vain, or lost as deadlock victim
	ClassSnapshot   Class = "snapshot"    // the database does not allow it, or changed under it
	ClassSchema     Class = "schema"      // a table or column is not there, or is another
	ClassUnreached  Class = "unreachable" // network, name, port
	ClassTimeout    Class = "timeout"     // a deadline passed
	ClassTLS        Class = "tls"         // certificate or protocol
	ClassCancelled  Class = "cancelled"   // the caller gave up
)

// Classify tells what kind of trouble err is, and what a person can do about
// it; the hint is "" where there is nothing better than waiting.
func Classify(err error) (Class, string) {
	if errors.Is(err, ErrSchemaChanged) {
		return ClassSchema, "the definition of the table is read again"
	}
	if number, ok := serverError(err); ok {
		if c, known := serverErrors[number]; known {
			return c.class, c.hint
		}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return ClassCancelled, ""
	case isTLS(err) && !errors.Is(err, context.DeadlineExceeded): // a handshake without an answer is no answer
		return ClassTLS, "compare the source's encrypt, ca and server_certificate settings with the server's certificate and protocol"
	case errors.Is(err, context.DeadlineExceeded) && !isConnecting(err):
		return ClassTimeout, "the server did not answer in time; see what it is busy with, or raise limits.statement_timeout"
	case isConnecting(err), isBroken(err):
		return ClassUnreached, "check that the server runs, that its TCP/IP protocol is enabled, its name and port, and the firewalls between"
	}
	return ClassOther, ""
}

type known struct {
	class Class
	hint  string
}

const (
	hintLogin    = "check user and password of the source; the server's error log names the reason"
	hintDatabase = "check the database's name and state, and that the login has a user in it"
	hintGrant    = "grant the right that is named; 'tidemark doctor' prints the statements"
	hintLocked   = "another session holds locks on the table for long; the read is repeated"
)

// serverErrors are those of Microsoft Learn, "Database Engine events and
// errors", that have a meaning here.
var serverErrors = map[int32]known{
	18452: {ClassLogin, hintLogin}, 18456: {ClassLogin, hintLogin}, 18470: {ClassLogin, "the login is disabled: ALTER LOGIN ... ENABLE"},
	18486: {ClassLogin, "the login is locked"}, 18487: {ClassLogin, "the password has expired"}, 18488: {ClassLogin, "the password must be changed"},
	4060: {ClassDatabase, hintDatabase}, 4064: {ClassDatabase, hintDatabase}, 911: {ClassDatabase, hintDatabase},
	916: {ClassDatabase, "create a user for the login in the database"},
	922: {ClassDatabase, "the database is recovering"}, 924: {ClassDatabase, "the database is in single user mode"},
	927: {ClassDatabase, "the database is being restored"}, 942: {ClassDatabase, "the database is offline"},
	945: {ClassDatabase, hintDatabase}, 952: {ClassDatabase, "the database is in transition"},
	976: {ClassDatabase, "the database is on a secondary replica that is not readable"}, 978: {ClassDatabase, "the replica takes only connections with read_only_intent: true"},
	979: {ClassDatabase, "the availability group has no read access here"}, 983: {ClassDatabase, "the replica is neither primary nor secondary now"},
	40613: {ClassDatabase, "the database is not available at the moment"},
	229:   {ClassPermission, hintGrant}, 230: {ClassPermission, hintGrant}, 262: {ClassPermission, hintGrant},
	297: {ClassPermission, hintGrant}, 300: {ClassPermission, hintGrant}, 371: {ClassPermission, hintGrant},
	1222: {ClassLocked, hintLocked}, 1205: {ClassLocked, hintLocked},
	3952: {ClassSnapshot, "ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON lets reads neither wait nor block"},
	3960: {ClassSnapshot, "the read is repeated"}, 3961: {ClassSnapshot, "the read is repeated"}, 3966: {ClassSnapshot, "the version store of tempdb was full; the read is repeated"},
	207: {ClassSchema, "a column was dropped or renamed"}, 4104: {ClassSchema, "a column was dropped or renamed"}, 208: {ClassSchema, "the table was dropped or renamed, or the login has lost its rights on it"},
	308: {ClassSchema, "an index was dropped or renamed"}, 1088: {ClassSchema, "the table was dropped or renamed"}, 8622: {ClassSchema, "an index was dropped"},
	// What a conversion says when a column's type has changed under a statement.
	206: {ClassSchema, "a column's type has changed"}, 402: {ClassSchema, "a column's type has changed"}, 529: {ClassSchema, "a column's type has changed"},
}

// serverError is the number of the server's error in err.
func serverError(err error) (int32, bool) {
	var e mssql.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	for _, one := range e.All { // the first that is known: later ones often only say that the batch ended
		if _, ok := serverErrors[one.Number]; ok {
			return one.Number, true
		}
	}
	return e.Number, true
}

// lacking tells whether the server has refused a statement for what it is: a
// view, function or right is missing. An error of the moment (a lock, a
// deadlock, memory, a database that is closed) says nothing of that.
func lacking(err error) bool {
	const resources = 17 // severity from which on it is not the statement
	var e mssql.Error
	if !errors.As(err, &e) || e.Class >= resources {
		return false
	}
	switch class, _ := Classify(err); class {
	case ClassPermission, ClassSchema, ClassOther:
		return true
	default:
		return false
	}
}

// named makes err one that people read. What a server's error says about the
// schema becomes ErrSchemaChanged.
func named(op string, err error) error {
	if err == nil {
		return nil
	}
	class, hint := Classify(err)
	if class == ClassSchema && !errors.Is(err, ErrSchemaChanged) {
		err = schemaError{err}
	}
	return fault.New(op, err, hint)
}

// A schemaError is ErrSchemaChanged for errors.Is and reads as its cause.
type schemaError struct{ error }

func (e schemaError) Unwrap() []error { return []error{ErrSchemaChanged, e.error} }

func isConnecting(err error) bool {
	var e *connectError
	return errors.As(err, &e)
}

// fatalClass is the severity from which on an error ends the connection
// (Microsoft Learn, "Database Engine error severities").
const fatalClass = 20

// A brokenError is the driver's for an answer that did not come, broke off or
// was none: of some failures it keeps only the text.
type brokenError struct{ cause error }

func (e *brokenError) Error() string { return e.cause.Error() }
func (e *brokenError) Unwrap() error { return e.cause }

// driverError says of an error of the driver's that the connection is its
// cause, unless the server or the caller is.
func driverError(err error) error {
	if _, told := serverError(err); err == nil || told || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &brokenError{err}
}

// isBroken tells whether err says that the connection is gone.
func isBroken(err error) bool {
	var op *net.OpError
	var stream mssql.StreamError
	var broken *brokenError
	var server mssql.Error
	if errors.As(err, &server) && server.Class >= fatalClass {
		return true
	}
	return errors.As(err, &op) || errors.As(err, &stream) || errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// isTLS also reads the text: the driver keeps only that of a failed handshake.
func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	if errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) {
		return true
	}
	if err == nil {
		return false
	}
	text := err.Error()
	return isConnecting(err) && (strings.Contains(text, "TLS Handshake") || strings.Contains(text, "tls: ") || strings.Contains(text, "does not support encryption") || strings.Contains(text, "encrypt negotiation"))
}
