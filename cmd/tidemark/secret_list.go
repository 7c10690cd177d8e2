package main

import (
	"io"
	"slices"
	"strings"
	"time"

	"tidemark/agent/secrets"
)

// A listedSecret is a secret as it is listed.
type listedSecret struct {
	Name   string     `json:"name"`
	Set    *time.Time `json:"set,omitempty"` // none: it is missing
	From   string     `json:"from,omitempty"`
	UsedBy []string   `json:"used_by,omitempty"` // fields of the configuration
}

// listSecrets lists what is there, and what the configuration would need. A
// configuration that cannot be read needs nothing.
func (a *app) listSecrets() ([]listedSecret, error) {
	there, err := secrets.Beside(a.configPath).List()
	if err != nil {
		return nil, err
	}
	used := map[string][]string{}
	if c, err := a.view(); err == nil {
		used = c.StoredSecrets()
	}
	all := []listedSecret{}
	for _, e := range there {
		set := e.Set.UTC().Truncate(time.Second)
		all = append(all, listedSecret{Name: e.Name, Set: &set, From: e.From, UsedBy: used[e.Name]})
		delete(used, e.Name)
	}
	for name, fields := range used {
		all = append(all, listedSecret{Name: name, UsedBy: fields})
	}
	slices.SortStableFunc(all, func(x, y listedSecret) int { return strings.Compare(x.Name, y.Name) })
	return all, nil
}

func printSecrets(w io.Writer, all []listedSecret) error {
	rows := [][]string{{"NAME", "SET", "FROM", "USED BY"}}
	for _, s := range all {
		set, from, by := "missing", "-", "nothing"
		if s.Set != nil {
			set, from = s.Set.Format(time.DateTime), s.From
		}
		if len(s.UsedBy) > 0 {
			by = strings.Join(s.UsedBy, ", ")
		}
		rows = append(rows, []string{s.Name, set, from, by})
	}
	return columns(w, rows)
}
