package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/fault"
)

func TestClassify(t *testing.T) {
	server := func(numbers ...int32) error {
		e := mssql.Error{Number: numbers[len(numbers)-1]}
		for _, n := range numbers {
			e.All = append(e.All, mssql.Error{Number: n})
		}
		return e
	}
	dial := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	tests := []struct {
		err  error
		want Class
	}{
		{server(18456), ClassLogin},
		{&connectError{cause: server(18456)}, ClassLogin},
		{&connectError{cause: server(4060, 18456)}, ClassDatabase},
		{server(927), ClassDatabase},
		{server(942), ClassDatabase},
		{server(229), ClassPermission},
		{server(230), ClassPermission},
		{server(297), ClassPermission},
		{server(300), ClassPermission},
		{server(1222), ClassLocked},
		{server(1205), ClassLocked},
		{server(3952), ClassSnapshot},
		{server(3960), ClassSnapshot},
		{server(207), ClassSchema},
		{server(208), ClassSchema},
		{server(8134), ClassOther},
		{fmt.Errorf("%w: one", ErrSchemaChanged), ClassSchema},
		{&connectError{cause: dial}, ClassUnreached},
		{&connectError{ctx: context.DeadlineExceeded, cause: io.EOF}, ClassUnreached},
		{&connectError{cause: errors.New("TLS Handshake failed: x509: certificate signed by unknown authority")}, ClassTLS},
		{&connectError{cause: errors.New("server does not support encryption")}, ClassTLS},
		{context.DeadlineExceeded, ClassTimeout},
		{fmt.Errorf("%w: %w", context.DeadlineExceeded, io.EOF), ClassTimeout},
		{context.Canceled, ClassCancelled},
		{io.EOF, ClassUnreached},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, ClassUnreached},
		{errors.New("something else"), ClassOther},
	}
	for _, tt := range tests {
		got, hint := Classify(fault.New("op", tt.err, ""))
		if got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
		if hint == "" && got != ClassOther && got != ClassCancelled {
			t.Errorf("%v: no hint", tt.err)
		}
	}
}

func TestNamedErrors(t *testing.T) {
	err := named("read dbo.t", mssql.Error{Number: 207, Message: "Invalid column name 'x'."})
	if !errors.Is(err, ErrSchemaChanged) {
		t.Error("an invalid column is no change of the schema")
	}
	var server mssql.Error
	if !errors.As(err, &server) || fault.Hint(err) == "" {
		t.Errorf("%v: the server's error or the hint is lost", err)
	}
	if named("op", nil) != nil {
		t.Error("no error became one")
	}
}
