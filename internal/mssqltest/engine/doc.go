// Package engine is the SQL Server of the stand-in: Transact-SQL over
// multi-version tables in memory, behind the interfaces of package tds.
//
// The words used here are SQL Server's:
//
//   - A row version (of type rowversion) is a value of the database-wide
//     counter, taken when a statement writes a row and seen by others when
//     its transaction commits. The same word without "column" in mind is
//     avoided: the states of one row over time are its versions, and a
//     version carries the commit sequence number of its transaction.
//   - A snapshot is a commit sequence number; it sees the versions committed
//     at or before it. READ COMMITTED without READ_COMMITTED_SNAPSHOT has no
//     snapshot: it reads the newest version and waits for a row whose newest
//     version is not committed.
//   - A key is the memory form of key columns: bytes whose plain order is
//     SQL Server's order of the values (collation, uniqueidentifier order,
//     padding). Every tree is ordered by keys.
//
// Rows are stored as the concatenation of their column values in the form of
// a TDS ROW token, so that reading a column out to a client is a copy.
package engine
