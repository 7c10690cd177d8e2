// Package ledger decides what a batch does to a table's version. It is pure:
// a store reads a State, asks, and writes the State that comes back in the
// same transaction as the rows.
//
// A batch is applied exactly once: its sequence number is one more than the
// version's. The number and the ID of the last batch give its answer again.
// Any other number is a conflict, answered with the version as it is.
//
// Epochs are numbered as they begin, from 1, so that a row says with a small
// number which of them wrote it. A number is also taken when the schema
// changes in a way that the rows held so far cannot answer for (a column was
// added): they count as another epoch's until a load has sent them again.
package ledger
