package sqlserver

import (
	"errors"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/azuread"
	"github.com/microsoft/go-mssqldb/msdsn"
)

var errValues = errors.New("fedauth goes with no guid conversion, timezone or column encryption of the connection string")

// newFederated makes a connector that logs in with a token of Entra ID. The
// driver makes it of the connection string alone, so that must not change how
// values are read.
func newFederated(dsn string, params msdsn.Config) (*mssql.Connector, error) {
	if params.Encoding.GuidConversion || params.Encoding.GetTimezone() != time.UTC || params.ColumnEncryption {
		return nil, errValues
	}
	return azuread.NewConnector(dsn)
}
