// Package sqlserver is everything in Tidemark that knows SQL Server: what
// tables there are, what moved, and how rows are read gently and exactly.
//
// A [Source] is one database. [Source.Catalog] says what its tables look like
// and why one cannot be synced; [Source.Probe] learns in one round trip what
// moved; a [Reader] reads a table chunk by chunk. Rows are appended to
// [wire.Lines] in the form of package wire.
//
// Words used here:
//
//   - row version: the value of the table's rowversion column as a big-endian
//     unsigned number, or for a table without that column a hash of the row's
//     content;
//   - ceiling: MIN_ACTIVE_ROWVERSION() - 1; nothing that is still uncommitted
//     can become visible at or below it;
//   - chunk: what one call of a reader's method reads, sized to about
//     Limits.QueryTime and bounded in rows and bytes;
//   - cursor: where a chunk ended, as text that survives restarts;
//   - level: one of the statements that continue behind a composite key, each
//     with an equality on the leading columns and a range on the next.
//
// Order is compared by SQL Server alone, because collations, blanks and GUIDs
// sort differently elsewhere. Equality of keys is equality of canonical bytes
// (package canon).
//
// DESIGN.md shows the statements and says why each is gentle and exact.
package sqlserver
