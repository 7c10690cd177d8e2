package main

import (
	"errors"

	"github.com/spf13/cobra"

	"tidemark/internal/command"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

func newTables(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "tables",
		Short: "List a customer's tables, and release one from its writer",
		Long: `A customer's tables are what its agent has registered. Each has one writer: the
first agent that sent rows of it. Another is refused, by name, until the table
is released or the other agent takes it over. A release is recorded: see audit.`,
		Example: "  tidemark-cloud tables list acme\n  tidemark-cloud tables release acme dbo.orders",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return command.NeedsOneOf(cmd)
		},
	}
	c.AddCommand(newTablesList(a), newTablesRelease(a))
	for _, sub := range c.Commands() {
		a.storeFlag(sub.Flags())
	}
	return c
}

var errNoTable = errors.New("there is no such table of such a customer")

// aboutTable says what was being done with a table.
func aboutTable(op, customer string, err error) error {
	var problem *wire.Problem
	if errors.As(err, &problem) && problem.Code == wire.NotFound {
		return fault.New(op, errNoTable, "`tidemark-cloud tables list "+customer+"` lists them")
	}
	return fault.New(op, err, "")
}
