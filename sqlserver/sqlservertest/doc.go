// Package sqlservertest gives a test a database of its own: in a stand-in, or
// in a real SQL Server when the environment variable TIDEMARK_TEST_SQLSERVER
// holds a connection string of go-mssqldb. Tests make their tables through
// T-SQL and run the same against both; what needs the stand-in itself (a
// fault, a restore) asks for it with [DB.StandIn] and is skipped elsewhere.
package sqlservertest
