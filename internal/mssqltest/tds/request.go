package tds

import (
	"strconv"
	"strings"
)

// readHeaders reads ALL_HEADERS (MS-TDS 2.2.5.3) and returns the transaction
// descriptor, which every request must carry.
func readHeaders(c *cursor) (transaction uint64, err error) {
	all := cursor{b: c.take(int(c.u32()) - 4)}
	found := false
	for len(all.b) > 0 {
		h := cursor{b: all.take(int(all.u32()) - 4)}
		const transactionHeader = 2
		if h.u16() == transactionHeader {
			transaction, found = h.u64(), true
		}
		if h.short || all.short {
			break
		}
	}
	if c.short || all.short || !found {
		return 0, malformed("a request without its headers")
	}
	return transaction, nil
}

func readBatch(c *cursor) (sql string, err error) {
	b := c.rest()
	if len(b)%2 != 0 {
		return "", malformed("a batch of an odd number of bytes")
	}
	return decodeUTF16(b), nil
}

// An rpc is a call of a stored procedure (MS-TDS 2.2.6.6).
type rpc struct {
	name   string
	params []Param
}

const (
	executeSQL   = "sp_executesql"
	executeSQLID = 10
)

func readRPC(c *cursor) (r rpc, err error) {
	if size := c.u16(); size != 0xFFFF {
		r.name = decodeUTF16(c.take(2 * int(size)))
	} else if id := c.u16(); id == executeSQLID {
		r.name = executeSQL
	} else {
		r.name = "procedure " + strconv.Itoa(int(id))
		return r, noProcedure(r.name)
	}
	c.u16() // options
	for len(c.b) > 0 {
		var p Param
		if c.b[0] == 0xFF {
			return r, malformed("several calls in one request")
		}
		p.Name = c.bVarchar()
		const byReference, encrypted = 0x01, 0x08
		if status := c.u8(); status&(byReference|encrypted) != 0 {
			return r, unsupported("output or encrypted parameter " + p.Name)
		}
		var token byte
		if p.Type, token, err = readTypeInfo(c); err != nil {
			return r, err
		}
		if p.Value, err = readValue(c, p.Type, token); err != nil {
			return r, err
		}
		r.params = append(r.params, p)
	}
	if c.short {
		return r, malformed("a call that is cut short")
	}
	return r, nil
}

func noProcedure(name string) error {
	return &Error{Number: 2812, State: 62, Class: 16, Message: "Could not find stored procedure '" + name + "'."}
}

// unsupported is the answer to a good request that the stand-in does not
// understand. SQL Server gives the number to a parameter of an unknown type.
func unsupported(what string) error {
	return &Error{Number: 8009, State: 1, Class: 16, Message: "The SQL Server stand-in does not support this: " + what + "."}
}

// statement takes a call of sp_executesql apart. Its first two parameters are
// the statement and the declaration of the others.
func (r rpc) statement() (sql string, params []Param, err error) {
	if !strings.EqualFold(r.name, executeSQL) && !strings.EqualFold(r.name, "sys."+executeSQL) {
		return "", nil, noProcedure(r.name)
	}
	texts := r.params[:min(2, len(r.params))]
	for i, p := range texts {
		v, err := DecodeValue(p.Type, p.Value)
		s, ok := v.(string)
		if err != nil || !ok || p.Type.Kind != NVarChar {
			return "", nil, &Error{Number: 214, State: 3, Class: 16,
				Message: "Procedure expects parameter '" + []string{"@statement", "@params"}[i] + "' of type 'ntext/nchar/nvarchar'."}
		}
		if i == 0 {
			sql = s
		}
	}
	if len(texts) == 0 {
		return "", nil, &Error{Number: 201, State: 4, Class: 16,
			Message: "Procedure or function 'sp_executesql' expects parameter '@statement', which was not supplied."}
	}
	params = append([]Param{}, r.params[len(texts):]...)
	for _, p := range params {
		if len(p.Name) < 2 || p.Name[0] != '@' {
			return "", nil, unsupported("parameter without a name")
		}
	}
	return sql, params, nil
}

// A transactionRequest is one to the transaction manager (MS-TDS 2.2.6.9).
type transactionRequest struct {
	kind  uint16
	level Isolation
	again bool // begin another transaction after the end of this one
}

const (
	beginTransaction    = 5
	commitTransaction   = 7
	rollbackTransaction = 8
)

func readTransaction(c *cursor) (r transactionRequest, err error) {
	r.kind = c.u16()
	if r.kind != beginTransaction && r.kind != commitTransaction && r.kind != rollbackTransaction {
		return r, unsupported("transaction manager request " + strconv.Itoa(int(r.kind)))
	}
	if r.kind != beginTransaction {
		c.take(int(c.u8())) // name
		r.again = c.u8()&1 != 0
	}
	if r.kind == beginTransaction || r.again {
		r.level = Isolation(c.u8())
		c.take(int(c.u8())) // name
	}
	if c.short || r.level > Snapshot {
		return r, malformed("a wrong transaction manager request")
	}
	return r, nil
}
