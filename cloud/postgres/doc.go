// Package postgres is the cloud.Store in a Postgres database, 13 or later,
// and any that speaks its protocol and SQL.
//
// # What is where
//
// Schema tidemark holds customers and keys, policies, datasets, schemas and
// versions (see migrations). Schema data holds one table per dataset with the
// rows of all customers:
//
//	customer_id  text COLLATE "C"
//	...          the columns of the dataset
//	_tm_rv       bigint, the bits of the row version
//	_tm_epoch    integer, the number of the epoch that wrote the row
//	PRIMARY KEY (customer_id, key...)
//
// It has no other index and room on every page, so that updates are heap-only.
// The identifiers of tables and columns are those of package dataset.
//
// # Types
//
//	bit                            boolean
//	tinyint, smallint              smallint
//	int, bigint                    integer, bigint
//	real, float                    real, double precision
//	decimal(p,s)                   numeric(p,s)
//	smallmoney, money              numeric(10,4), numeric(19,4)
//	date, time(s)                  date, time
//	smalldatetime, datetime,
//	datetime2(s)                   timestamp
//	datetimeoffset(s)              timestamptz
//	(n)char, (n)varchar, xml       text
//	binary, varbinary, hierarchyid,
//	geometry, geography            bytea
//	uniqueidentifier               uuid
//	sql_variant                    text: the wire form
//
// Postgres' times have six digits after the seconds. The seventh of time(7),
// datetime2(7) and datetimeoffset(7) is cut off, never rounded; and a
// timestamptz is a moment without the offset it was written with, read back
// as +00:00. What Postgres would compare in another way than SQL Server, or
// not hold with all its digits, is text COLLATE "C" in a key: characters,
// datetimeoffset, sql_variant, and time(7) and datetime2(7), which have no
// zeros at the end of their fraction there.
//
// # A batch
//
// One transaction: the version row is locked and read; one statement joins the
// rows with what is there, drops those that are unchanged and inserts or updates
// the rest; version and answer are written. The rows of a batch of up to 2,000
// are carried by that statement: three round trips. Those of a larger one are
// copied into a staging table of the connection before: four, however many rows
// there are. The rows of a load that found no row of the customer are copied
// into the table itself; when one of them is there after all, the batch is
// begun again through the stage, as is one with a row that Postgres refuses
// though it was checked (an index entry or a row that is too long), which is
// found by halving and refused alone.
//
// Staging tables, settings and the locks that stand for connections belong to a
// session: no pooler may be in front of the server.
//
// # Summaries
//
// What a summary needs is in three tables beside versions: see package sums and
// migration 2. A batch adds one statement to its last round trip, an entry of
// the log. What it changed is known from the statements that change it, with
// the row versions and epochs that they found.
//
// A summary is made when a first load is complete, in the background, or, for
// a small table, when somebody asks. That reads all keys of the customer's
// table in one snapshot, about a second for a million rows, and keeps vacuum
// from removing what dies meanwhile.
//
// Writers of one customer's table wait for each other at the version row;
// those of different customers do not meet.
package postgres
