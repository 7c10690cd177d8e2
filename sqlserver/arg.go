package sqlserver

import (
	"database/sql/driver"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"tidemark/internal/wire"
)

// arg is the parameter for a key value given in its wire form, and write is
// the expression that makes it a value of the column's very type, so that the
// comparison seeks the key's index. Parameters are declared by go-mssqldb as
// bigint, float, datetimeoffset(7) or nvarchar(max), whatever the value: a
// plain Go string would be declared in its own length, and each length would
// cost the customer's server a plan.

// arg converts raw, which may come from anywhere, after checking it.
func (c *Column) arg(raw []byte) (driver.Value, error) {
	t := c.Type
	if err := wire.CheckValue(t, raw); err != nil {
		return nil, err
	}
	switch t.Kind {
	case wire.Bit:
		if raw[0] == 't' {
			return int64(1), nil
		}
		return int64(0), nil
	case wire.TinyInt, wire.SmallInt, wire.Int:
		return strconv.ParseInt(string(raw), 10, 64)
	case wire.BigInt:
		return strconv.ParseInt(string(raw[1:len(raw)-1]), 10, 64)
	case wire.Real, wire.Float:
		return strconv.ParseFloat(string(raw), 64)
	case wire.DateTimeOffset: // by its bytes: no style of CONVERT is documented to read all its digits
		at, err := time.Parse("2006-01-02T15:04:05.9999999-07:00", string(raw[1:len(raw)-1]))
		return mssql.DateTimeOffset(at), err
	case wire.Binary, wire.VarBinary, wire.HierarchyID:
		b, err := base64.StdEncoding.DecodeString(string(raw[1 : len(raw)-1]))
		return mssql.NVarCharMax("0x" + hex.EncodeToString(b)), err
	}
	s, err := wire.Unquote(nil, raw)
	return mssql.NVarCharMax(s), err
}

// write is the expression for the parameter or column ref that holds arg's
// value.
func (c *Column) write(ref string) string {
	t := c.Type
	switch t.Kind {
	case wire.BigInt, wire.Float:
		return ref
	case wire.Char, wire.VarChar: // the collation says in which code page
		if c.collating == collateByName {
			ref += " COLLATE " + c.Collation
		}
		return fmt.Sprintf("CONVERT(%s, %s)", t, ref)
	case wire.Binary, wire.VarBinary:
		return fmt.Sprintf("CONVERT(%s, %s, 1)", t, ref)
	case wire.HierarchyID:
		return fmt.Sprintf("CONVERT(hierarchyid, CONVERT(varbinary(892), %s, 1))", ref)
	case wire.Date:
		return fmt.Sprintf("CONVERT(date, %s, 23)", ref)
	case wire.SmallDateTime, wire.DateTime, wire.DateTime2:
		return fmt.Sprintf("CONVERT(%s, %s, 126)", t, ref)
	}
	return fmt.Sprintf("CONVERT(%s, %s)", t, ref)
}

// keyable says why the column cannot be part of a key; "" when it can.
func (c *Column) keyable() string {
	switch {
	case c.Type.Kind == wire.Variant, c.isLarge():
		return "its type " + c.Declared + " cannot be part of a key"
	case c.Type.Kind == wire.Char || c.Type.Kind == wire.VarChar:
		if !isCollation(c.Collation) {
			return "its collation is not known"
		}
		if c.collating == collateUnknown {
			return "the server does not know its collation " + c.Collation
		}
	}
	return ""
}

// rvArg is the parameter for a row version, always varbinary(8).
func rvArg(rv uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 0, 8), rv) }
