// Command tidemark-traffic reads the traffic of Tidemark's cloud API: access
// logs of load balancers, which it ships to a log stack and sums up.
package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"tidemark/internal/command"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run runs one command line and returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	return program.Run(newRoot(), args, in, out, errOut)
}

// program has its exit codes in docs/exit-codes.md, too.
var program = command.Program{Name: "tidemark-traffic", Codes: []command.Code{
	{Code: command.OK, Meaning: "what was asked for is done; lines that were set aside are in the summary"},
	{Code: command.Wrong, Meaning: "some of it failed: a file that cannot be read or is cut off; all else was done"},
	{Code: command.Usage, Meaning: "the command line is not understood; nothing was done"},
	{Code: command.Config, Meaning: "a setting is wrong (address, certificate, credentials, checkpoint); nothing was done"},
	{Code: command.Interrupted, Meaning: "interrupted (Ctrl-C); the checkpoint has what was delivered"},
}}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "tidemark-traffic",
		Short: "Reads the traffic of Tidemark's cloud API",
		Long: `Reads the traffic of Tidemark's cloud API: ships the access logs of AWS load
balancers to Logstash, sums them up by endpoint, customer, table and hour; and sends recorded requests
to a copy of an installation.`,
		Example: `  tidemark-traffic ship --to https://logstash:8443 /var/log/alb
  tidemark-traffic report --html report.html /var/log/alb`,
	}
	root.AddCommand(newShip(), newReport(), newReplay(), newVersion(), program.Topic())
	return root
}
