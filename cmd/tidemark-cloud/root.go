package main

import (
	"io"

	"github.com/spf13/cobra"

	"tidemark/cloud/rollout"
)

// An app is what all commands share.
type app struct {
	store    string // its URL, which may hold a password: never printed
	out, err io.Writer
	pace     rollout.Pace // of the watcher; a test's is quicker
}

// run runs one command line and returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	return program.Run(newRoot(&app{out: out, err: errOut}), args, in, out, errOut)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "tidemark-cloud",
		Short: "Serves Tidemark's cloud API",
		Long: `Serves Tidemark's cloud API: takes the rows that agents send and keeps them in
typed tables, in one SQLite file or in a Postgres database.

A store is named by --store or by TIDEMARK_STORE: sqlite:PATH, or a connection
string that begins with postgres://. One that holds a password belongs into
TIDEMARK_STORE, because every user of a machine can read command lines; better
still, the password is in PGPASSFILE.`,
		Example: `  tidemark-cloud customers add acme > acme.key   a customer, and the key for its agent
  tidemark-cloud serve                           with the store in tidemark-cloud.db`,
	}
	root.AddGroup(&cobra.Group{ID: "run", Title: "Running:"}, &cobra.Group{ID: "act", Title: "Acting:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("run", newServe(a), newReady(a), newVersion(a))
	add("act", newCustomers(a), newOperators(a), newTables(a), newPolicy(a), newGroups(a), newRollout(a), newAudit(a), newCost(a), newScrub(a))
	root.AddCommand(program.Topic())
	root.SetHelpCommandGroupID("run")
	return root
}
