package engine

import (
	"errors"
	"fmt"

	"tidemark/internal/mssqltest/engine/tsql"
	"tidemark/internal/mssqltest/tds"
)

// errorf makes an error of severity 16, the one of errors that the user can
// correct.
func errorf(number int32, format string, args ...any) *tds.Error {
	return &tds.Error{Number: number, State: 1, Class: 16, Message: fmt.Sprintf(format, args...)}
}

func severity(class uint8, e *tds.Error) *tds.Error {
	e.Class = class
	return e
}

func notKnown(format string, args ...any) *tds.Error {
	e := tsql.NotKnown(fmt.Sprintf(format, args...))
	return severity(15, errorf(e.Number, "%s", e.Message))
}

func fromParser(err error) error {
	var e *tsql.Error
	if errors.As(err, &e) {
		return severity(15, errorf(e.Number, "%s", e.Message))
	}
	return err
}

func errInvalidObject(name string) error {
	return errorf(208, "Invalid object name '%s'.", name)
}

func errInvalidColumn(name string) error {
	return errorf(207, "Invalid column name '%s'.", name)
}

func errDenied(permission, object, database, schema string) error {
	return severity(14, errorf(229, "The %s permission was denied on the object '%s', database '%s', schema '%s'.", permission, object, database, schema))
}

// Numbers of errors that end the transaction of their session.
const (
	numDeadlock       = 1205
	numUpdateConflict = 3960
	numLockTimeout    = 1222
	numKilled         = 596
)

func errDeadlock(spid int) error {
	return severity(13, errorf(numDeadlock, "Transaction (Process ID %d) was deadlocked on lock resources with another process and has been chosen as the deadlock victim. Rerun the transaction.", spid))
}

func errLockTimeout() error {
	return errorf(numLockTimeout, "Lock request time out period exceeded.")
}

func errKilled() error {
	return severity(21, errorf(numKilled, "Cannot continue the execution because the session is in the kill state."))
}
