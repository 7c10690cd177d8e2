package postgres

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"tidemark/cloud"
	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

// List implements cloud.Manifests.
func (s *Store) List(ctx context.Context, m cloud.Manifest, out *wire.Lines) (wire.ListHeader, error) {
	var header wire.ListHeader
	start := wire.Lines{Buf: out.Buf, N: out.N}
	err := s.read(ctx, m, false, func(r reading) error {
		*out = start
		header = wire.ListHeader{Version: r.st.Version}
		page := r.page("", m.Header.Limit)
		if m.Header.After != "" {
			after, err := parsePosition(m.Header.After, len(r.p.key))
			if err != nil {
				return err
			}
			page = r.page(r.p.behind(2), m.Header.Limit)
			page.args = after
		}
		err := r.appendPage(ctx, m, page, out, &header)
		if m.Header.After != "" && isRowError(err) { // its values are none of the key's types
			return errPosition
		}
		return err
	})
	return header, err
}

// page is the query of one page of keys, in the order of the primary key, and
// of one row more.
func (r reading) page(where string, limit int) statement {
	return statement{sql: "SELECT t._tm_rv, t._tm_epoch, " + list(r.p.key, "t.%", ", ") + " FROM " + r.p.target() + " t WHERE t.customer_id = $1" +
		where + " ORDER BY " + r.p.order() + " LIMIT " + strconv.Itoa(limit+1)}
}

// order is the primary key behind the customer.
func (p *plan) order() string { return list(p.key, "t.%", ", ") }

// behind restricts a query to the rows behind a key, given as parameters from
// $first on.
func (p *plan) behind(first int) string {
	params := make([]string, len(p.key))
	for i, c := range p.key {
		params[i] = c.param(first + i)
	}
	return " AND (" + p.order() + ") > (" + strings.Join(params, ", ") + ")"
}

// appendPage appends the lines of a page and sets the header's Next when
// there are more behind it.
func (r reading) appendPage(ctx context.Context, m cloud.Manifest, page statement, out *wire.Lines, header *wire.ListHeader) (err error) {
	params := [][]byte{[]byte(m.Customer)}
	for _, a := range page.args {
		params = append(params, []byte(a.(string)))
	}
	begin := len(out.Buf)
	result := r.c.PgConn().ExecParams(ctx, page.sql, params, nil, nil, nil)
	var last []string
	for result.NextRow() {
		values := result.Values()
		if header.Rows == m.Header.Limit || header.Rows > 0 && len(out.Buf)-begin >= m.Bytes {
			header.Next = position(last)
			break
		}
		if out.Buf, err = r.appendManifestLine(out.Buf, values); err != nil {
			break
		}
		out.N++
		header.Rows++
		last = last[:0]
		for _, v := range values[2:] {
			last = append(last, string(v))
		}
	}
	if _, closed := result.Close(); err == nil {
		err = closed
	}
	return err
}

func (r reading) appendManifestLine(dst []byte, values [][]byte) ([]byte, error) {
	rv, epoch, err := parseStamp(values)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `["`...)
	dst = ledger.AppendStamp(dst, rv, epoch, r.st.EpochNumber)
	dst = append(dst, '"')
	for i, c := range r.p.key {
		dst = append(dst, ',')
		if dst, err = appendWire(dst, c.typ, values[2+i]); err != nil {
			return dst, err
		}
	}
	return append(dst, "]\n"...), nil
}

// parseStamp reads row version and epoch from the head of a row.
func parseStamp(values [][]byte) (rv uint64, epoch int64, err error) {
	signed, err := strconv.ParseInt(string(values[0]), 10, 64)
	if err != nil {
		return 0, 0, err
	}
	epoch, err = strconv.ParseInt(string(values[1]), 10, 64)
	return uint64(signed), epoch, err
}

// A position is the text of a key's values as Postgres wrote them.
func position(key []string) string {
	document, err := json.Marshal(key)
	if err != nil { // strings alone: cannot fail
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(document)
}

var errPosition = wire.NewProblem(wire.Malformed, "after is not the next of a page before", "Begin with an empty after.")

func parsePosition(s string, columns int) ([]any, error) {
	document, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, errPosition
	}
	var key []string
	if err := json.Unmarshal(document, &key); err != nil || len(key) != columns {
		return nil, errPosition
	}
	args := make([]any, len(key))
	for i, k := range key {
		args[i] = k
	}
	return args, nil
}
