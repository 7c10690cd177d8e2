// Package wire is what the agent and the cloud say to each other: the types
// of the API's documents, the column types, and the text form of every value.
//
// # Bodies
//
// Documents are JSON. Lists of rows are newline-delimited JSON in one or more
// zstd frames with checksums: a header line, then exactly as many lines as the
// header announces, so that a truncated body is never mistaken for a whole
// one. A row line is an array: the row version as a decimal string, then one
// value for every column that the header names.
//
//	{"v":1,"kind":"delta","seq":"12","columns":["id","name"],"rows":1,...}
//	["2001",7,"O'Hara"]
//
// # Values
//
// Values are lossless in JSON. A null is null. Otherwise, by type:
//
//	bit                              true, false
//	tinyint, smallint, int           number
//	bigint                           string of digits
//	real, float                      number, shortest that round-trips
//	decimal(p,s), money, smallmoney  string with exactly s (4) digits after the point
//	date                             "2026-11-23"
//	time(s)                          "23:59:59.9999999", exactly s digits
//	smalldatetime, datetime          "2026-11-23T10:00:00", "2026-11-23T10:00:00.003"
//	datetime2(s)                     "2026-11-23T10:00:00.1234567", exactly s digits
//	datetimeoffset(s)                the same and "+02:00"
//	(n)char, (n)varchar, xml         string
//	binary, varbinary, hierarchyid,
//	geometry, geography              base64 with padding
//	uniqueidentifier                 "0f8fad5b-d9cb-469f-a165-70867728950e", lower case
//	sql_variant                      {"t":"int","v":7}: base type and its value
package wire
