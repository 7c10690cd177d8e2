package main

import (
	"strconv"
	"time"

	"tidemark/internal/wire"
)

// schema is that of all tables.
var schema = wire.Schema{
	Columns: []wire.Column{
		{Name: "id", Type: wire.Type{Kind: wire.Int}},
		{Name: "name", Type: wire.Type{Kind: wire.NVarChar, Len: 100}},
		{Name: "amount", Type: wire.Type{Kind: wire.Decimal, Precision: 18, Scale: 2}},
		{Name: "changed", Type: wire.Type{Kind: wire.DateTime2, Scale: 3}},
		{Name: "note", Type: wire.Type{Kind: wire.NVarChar, Len: 200}, Nullable: true},
	},
	Key: []string{"id"}, Versioning: wire.ByRowVersion,
}

var (
	columns     = []string{"id", "name", "amount", "changed", "note"}
	fingerprint = schema.Fingerprint()
)

// A row is the content of a key in a version.
type row struct {
	name, amount, note string
	changed            time.Time
}

var epochOfRows = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func content(key int, version uint64) row {
	mixed := version*0x9E3779B97F4A7C15 + uint64(key)
	r := row{
		name:    "number " + strconv.Itoa(key) + " in version " + strconv.FormatUint(version, 10),
		amount:  strconv.FormatUint(mixed>>44, 10) + "." + strconv.FormatUint(10+mixed%90, 10),
		changed: epochOfRows.Add(time.Duration(version) * time.Millisecond),
	}
	if mixed>>63 == 1 {
		r.note = "noted as " + strconv.FormatUint(mixed, 36)
	}
	return r
}

// appendLine appends a row line.
func appendLine(dst []byte, key int, version uint64) []byte {
	r := content(key, version)
	dst = append(dst, `["`...)
	dst = strconv.AppendUint(dst, version, 10)
	dst = append(dst, `",`...)
	dst = strconv.AppendInt(dst, int64(key), 10)
	dst = append(append(append(dst, `,"`...), r.name...), `","`...)
	dst = append(append(dst, r.amount...), `","`...)
	dst = r.changed.AppendFormat(dst, "2006-01-02T15:04:05.000")
	dst = append(dst, `",`...)
	if r.note == "" {
		dst = append(dst, "null"...)
	} else {
		dst = append(append(append(dst, '"'), r.note...), '"')
	}
	return append(dst, "]\n"...)
}

// appendStamp appends a manifest line.
func appendStamp(dst []byte, key int, version uint64) []byte {
	dst = append(dst, `["`...)
	dst = strconv.AppendUint(dst, version, 10)
	dst = append(dst, `",`...)
	dst = strconv.AppendInt(dst, int64(key), 10)
	return append(dst, "]\n"...)
}

// above are the lines of rows above a version, in the order of their keys.
func (t *table) above(version uint64, out *wire.Lines) {
	for i, v := range t.versions {
		if v > version {
			out.Buf = appendLine(out.Buf, i+1, v)
			out.N++
		}
	}
}
