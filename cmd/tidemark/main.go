// Command tidemark keeps a cloud copy of SQL Server tables: it is the service
// at a customer's site and the commands to look after it.
package main

import (
	"os"
	_ "time/tzdata" // transfer windows name time zones, which Windows does not know
)

func main() {
	thrift()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
