package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"tidemark/cloud/ledger"
	"tidemark/internal/wire"
)

// maxKey bounds the wire form of a key. SQL Server allows 1,700 bytes in the
// key of an index; escaped, they are six times as many.
const maxKey = 16 << 10

// longLine is the length in bytes from which few batches at a time may hold a
// line in memory.
const longLine = 4 << 20

// A source is the RowSource of a body: it decodes and checks line by line.
//
// A small body can hold a line as long as Limits.Line, which its store then
// holds in other forms too. So a source reads no line over longLine until long
// has let it in, and then begins anew; it keeps its place until it is closed.
type source struct {
	body    []byte
	limits  wire.Limits
	long    func() (leave func(), err error) // nil: longLine is no limit
	leave   func()                           // its place among those with long lines
	rows    int
	stamps  bool          // a line begins with a stamp, not only a row version
	columns []wire.Column // of a line, behind the version
	key     []int         // positions of the key's values in a line

	reader *wire.BodyReader
	next   int
	fields [][]byte
	refKey [][]byte
}

// rowSource reads lines of all columns, keySource those of the key alone.
func rowSource(body []byte, limits wire.Limits, rows int, s wire.Schema) *source {
	return &source{body: body, limits: limits, rows: rows, columns: s.Columns, key: s.KeyIndexes()}
}

// keySource reads lines of the key, which begin with a stamp.
func keySource(body []byte, limits wire.Limits, rows int, s wire.Schema) *source {
	keys := &source{body: body, limits: limits, rows: rows, stamps: true}
	for i, at := range s.KeyIndexes() {
		keys.columns = append(keys.columns, s.Columns[at])
		keys.key = append(keys.key, i)
	}
	return keys
}

// Rewind begins again at the first row.
func (s *source) Rewind() error {
	s.stop()
	limits := s.limits
	if s.long != nil && s.leave == nil {
		limits.Line = min(limits.Line, longLine)
	}
	r, err := wire.NewBodyReader(bytes.NewReader(s.body), limits)
	if err != nil {
		return err
	}
	s.reader, s.next = r, 0
	var header json.RawMessage // read before
	if err := r.Header(&header); err != nil {
		return err
	}
	r.Expect(s.rows)
	return nil
}

// Close lets go of the decoder's memory.
func (s *source) Close() {
	s.stop()
	if s.leave != nil {
		s.leave()
		s.leave = nil
	}
}

func (s *source) stop() {
	if s.reader != nil {
		s.reader.Close()
		s.reader = nil
	}
}

// line returns the next line.
func (s *source) line() ([]byte, error) {
	line, err := s.reader.Next()
	if s.long == nil || s.leave != nil || s.limits.Line <= longLine || !errors.Is(err, wire.ErrTooLarge) {
		return line, err
	}
	if s.leave, err = s.long(); err != nil {
		return nil, err
	}
	read := s.next
	if err := s.Rewind(); err != nil {
		return nil, err
	}
	for ; s.next < read; s.next++ {
		if _, err := s.reader.Next(); err != nil {
			return nil, err
		}
	}
	return s.reader.Next()
}

// Next returns the next row: see RowSource.
func (s *source) Next() (Row, error) {
	if s.reader == nil {
		if err := s.Rewind(); err != nil {
			return Row{}, err
		}
	}
	line, err := s.line()
	if err != nil {
		return Row{}, err
	}
	row := Row{Index: s.next}
	s.next++
	if s.fields, err = wire.SplitRow(line, s.fields); err != nil {
		return Row{}, malformed(fmt.Errorf("line %d: %w", row.Index, err))
	}
	if len(s.fields) != 1+len(s.columns) {
		return Row{}, malformed(fmt.Errorf("line %d has %d values, not a row version and %d", row.Index, len(s.fields), len(s.columns)))
	}
	if row.Version, row.Epoch, err = s.version(s.fields[0]); err != nil {
		return Row{}, malformed(fmt.Errorf("line %d: %w", row.Index, err))
	}
	row.Values = s.fields[1:]
	row.Refusal = s.check(row, hasNUL(line))
	if row.Refusal != nil {
		row.Key, row.Values = s.goodKey(row.Values), nil
	}
	return row, nil
}

func (s *source) version(raw []byte) (version uint64, epoch int64, err error) {
	if len(raw) < 2 || raw[0] != '"' {
		return 0, 0, fmt.Errorf("%.40s is not a row version in quotes", raw)
	}
	version, epoch, err = ledger.ParseStamp(raw[1 : len(raw)-1])
	if err == nil && epoch != 0 && !s.stamps {
		err = fmt.Errorf("%.40s is not a row version in quotes", raw)
	}
	return version, epoch, err
}

// check returns why a row is refused, nil when it is not. Values are searched
// for a NUL only where the line has one: once for all is quicker.
func (s *source) check(row Row, nul bool) *wire.Refusal {
	for i, c := range s.columns {
		raw := row.Values[i]
		if isNull(raw) {
			continue // in a column that is not nullable too: the schema can have changed a moment ago
		}
		err := wire.CheckValue(c.Type, raw)
		if err == nil && nul && hasNUL(raw) {
			err = errNUL
		}
		if err != nil {
			return &wire.Refusal{Row: row.Index, Column: c.Name, Reason: err.Error()}
		}
	}
	size := 0
	for _, at := range s.key {
		raw := row.Values[at]
		if isNull(raw) {
			return &wire.Refusal{Row: row.Index, Column: s.columns[at].Name, Reason: "a key cannot be null"}
		}
		if size += len(raw); size > maxKey {
			return &wire.Refusal{Row: row.Index, Column: s.columns[at].Name, Reason: fmt.Sprintf("the key is over %d bytes", maxKey)}
		}
	}
	return nil
}

// goodKey returns the values of a key, nil when one of them is not acceptable.
func (s *source) goodKey(values [][]byte) [][]byte {
	s.refKey = s.refKey[:0]
	size := 0
	for _, at := range s.key {
		raw := values[at]
		size += len(raw)
		if isNull(raw) || size > maxKey || wire.CheckValue(s.columns[at].Type, raw) != nil || hasNUL(raw) {
			return nil
		}
		s.refKey = append(s.refKey, raw)
	}
	return s.refKey
}

func isNull(raw []byte) bool { return string(raw) == "null" }

// errNUL is of a value that no store of ours can hold in a text.
var errNUL = errors.New("a text holds the character U+0000, which the cloud cannot store")

// hasNUL tells whether a value or a line holds the escape of U+0000, the only
// form that JSON has for it.
func hasNUL(raw []byte) bool {
	for {
		i := bytes.Index(raw, []byte(`\u0000`))
		if i < 0 {
			return false
		}
		slashes := 0
		for j := i; j >= 0 && raw[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 1 {
			return true
		}
		raw = raw[i+1:] // the backslash was itself escaped
	}
}
