package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
)

// A finding is what doctor found out about one thing.
type finding struct {
	What    string   `json:"what"` // "cloud", "source main", "table dbo.orders"
	Verdict verdict  `json:"verdict"`
	Message string   `json:"message"`
	Hint    string   `json:"hint,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

type verdict string

const (
	good   verdict = "ok"
	advice verdict = "advice" // it works, and could work better
	wrong  verdict = "wrong"
)

func newDoctor(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Is everything there that the agent needs?",
		Long: `Tries everything that the agent needs, from this terminal and as this user: the
configuration, the service's account and disk, the way to the cloud (proxy, name,
connection, certificate, clock) and the key, each source, its login, its isolation
level and what holds its changes back, and each table: its key, its rowversion
column, the rights to read it, the index worth adding.

It reads no rows and changes nothing. It works whether the service runs or not.`,
		Example: "  tidemark doctor\n  sudo -u tidemark tidemark doctor",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := a.view() // what it refers to is examined
		if err != nil {
			return err
		}
		findings := examine(cmd.Context(), a.configPath, c)
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		if *asJSON {
			err = a.printJSON(findings)
		} else {
			err = printFindings(a.out, findings)
		}
		for _, f := range findings {
			if err == nil && f.Verdict == wrong {
				return errUnwell
			}
		}
		return err
	}
	return c
}

// examine goes from the inside out: what comes later needs what came before.
func examine(ctx context.Context, path string, c *config.Config) []finding {
	all := examineFile(path, c)
	service, status := examineService(ctx, c)
	all = append(append(all, service...), examineDisk(c))
	all = append(all, examineAside(c)...)
	network, reached := examineNetwork(ctx, c, time.Now())
	all = append(all, network...)
	if reached {
		all = append(all, examineCloud(ctx, c))
	}
	if err := resolve(ctx, c); err != nil {
		all = append(all, failed("patterns", err))
	}
	all = append(all, protectionFindings(c)...)
	for _, s := range c.Sources {
		all = append(all, examineSource(ctx, s, status)...)
	}
	return all
}

// examineFile follows what the file refers to: a secret that this user may not
// read, or that is gone, is a finding among the others.
func examineFile(path string, c *config.Config) (all []finding) {
	const what = "configuration"
	err := c.CheckReferences()
	var missing config.Problems
	switch {
	case err == nil:
		return []finding{{What: what, Verdict: good, Message: path}}
	case !errors.As(err, &missing):
		return []finding{failed(what, err)}
	}
	for _, p := range missing {
		all = append(all, finding{What: what, Verdict: wrong, Message: fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message), Hint: p.Hint})
	}
	return all
}

func printFindings(w io.Writer, findings []finding) error {
	var b bytes.Buffer
	count := map[verdict]int{}
	for _, f := range findings {
		count[f.Verdict]++
		fmt.Fprintf(&b, "%-6s  %s: %s\n", f.Verdict, f.What, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(&b, "        hint: %s\n", strings.ReplaceAll(f.Hint, "\n", "\n        "))
		}
		for _, n := range f.Notes {
			fmt.Fprintf(&b, "        note: %s\n", n)
		}
	}
	switch {
	case count[wrong] > 0:
		fmt.Fprintf(&b, "\n%s to put right\n", plural(int64(count[wrong]), "thing"))
	case count[advice] > 0:
		fmt.Fprintf(&b, "\nnothing is wrong, %s to think about\n", plural(int64(count[advice]), "thing"))
	default:
		b.WriteString("\nnothing is wrong\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}
