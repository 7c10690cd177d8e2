// Package tsql parses the subset of Transact-SQL that the SQL Server stand-in
// speaks. [Parse] turns the text of a batch into statements; whatever is
// outside the subset is refused with the number and text that SQL Server
// would use for a syntax error, or with a message that names what the
// stand-in does not know.
//
// The grammar keeps scalar expressions ([Expr]) and predicates ([Cond])
// apart, as Transact-SQL does: there is no boolean value that could be
// selected or stored.
package tsql
