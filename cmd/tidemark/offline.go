package main

import (
	"context"

	"tidemark/agent"
	"tidemark/agent/config"
)

// openOffline opens what the service left in its state file.
func openOffline(_ context.Context, c *config.Config) (agent.Viewer, func(), error) {
	site := agent.Site{Customer: c.Customer, Unprotected: unprotected(c)}
	for _, s := range c.Sources {
		src := agent.SourceSite{Name: s.Name}
		for _, t := range s.Tables {
			src.Tables = append(src.Tables, tableSite(t))
		}
		site.Sources = append(site.Sources, src)
	}
	o, err := agent.OpenOffline(c.StateDir, site)
	if err != nil {
		return nil, nil, err
	}
	return o, func() { _ = o.Close() }, nil // it was only read
}
