// Command tidemark-cloud is the reference server of Tidemark's cloud API and
// the commands of its operator.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
