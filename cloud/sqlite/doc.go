// Package sqlite is the embedded cloud.Store: one SQLite file, no set-up. It
// serves a demo, tests, and a small fleet on one machine.
//
// The file is in WAL mode: one connection writes, several read, neither waits
// for the other. A batch is one transaction and is on disk when it is
// answered. Other processes (the operator's commands) may open the file at the
// same time.
//
// Every dataset is a table data_NAME WITHOUT ROWID with the primary key
// (customer_id, key...), the columns that any customer has, and the row
// version (_tm_rv, the bits of the unsigned number) and epoch number
// (_tm_epoch) of each row. Values are held without loss:
//
//	bit and integers           INTEGER
//	real, float                8-byte float, in a column without affinity, which keeps -0
//	decimals, money and times  TEXT, without zeros at the end of the fraction, so that
//	                           equal values are equal whatever scale they were declared with
//	characters, xml, GUIDs     TEXT, compared byte by byte
//	binary and CLR types       BLOB
//	sql_variant                TEXT, its wire form
//
// Summaries are kept as package sums says. Leaves are found by the primary key
// where the key's column is held as a number or as a time; others by reading
// all keys of the customer's table.
package sqlite
