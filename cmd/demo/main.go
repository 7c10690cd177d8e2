// Command demo shows all of Tidemark in one process: a SQL Server stand-in, a
// program that writes into it, the agent, and the cloud API over SQLite. It
// ends by proving both sides equal, row by row.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, hooks{})) }
