// Package mssqltest is a SQL Server in the process of a test or demo: the
// protocol server of package tds in front of the engine, reached by the
// unmodified go-mssqldb over TCP or in memory. It adds what tests need beside
// T-SQL: fast filling, transactions held from Go, backups, a log of what
// arrived, and statements that fail or dawdle on purpose.
//
// What the stand-in does not know it refuses. A test that runs against it and
// shall also run against a real server uses only DSN and T-SQL.
package mssqltest
