package main

import (
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"tidemark/cloud"
)

// operatorVar names the operator where --as does not.
const operatorVar = "TIDEMARK_OPERATOR"

// operatorFlags say who changes something, why, and what was seen of it.
type operatorFlags struct {
	as, reason string
	seen       int64
}

func (o *operatorFlags) add(c *cobra.Command) {
	o.addWho(c, "why: it is recorded, and agents show it")
	c.Flags().Int64Var(&o.seen, "revision", 0, "change nothing unless this is the revision that is changed")
}

// addWho adds those of what has no revision.
func (o *operatorFlags) addWho(c *cobra.Command, reason string) {
	c.Flags().StringVar(&o.reason, "reason", "", reason)
	c.Flags().StringVar(&o.as, "as", "", "who: it is recorded (or "+operatorVar+"; default: the user of this machine)")
}

// Reasons of what agents do not see, needed or not.
const (
	recorded   = "why: it is recorded"
	mayBeGiven = "why: it is recorded, where it is given"
)

// operator acts on the store in the name of who runs the command.
func (o *operatorFlags) operator(s cloud.Store) cloud.Operator {
	return cloud.Operator{Store: s, Who: o.who(), Why: o.reason, Seen: o.seen}
}

func (o *operatorFlags) who() string {
	if o.as != "" {
		return o.as
	}
	if name := os.Getenv(operatorVar); name != "" {
		return name
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// reader is an operator who only looks.
func reader(s cloud.Store) cloud.Operator { return cloud.Operator{Store: s} }

// subjectFlags say whom a policy is for.
type subjectFlags struct{ group, customer string }

func (s *subjectFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&s.group, "group", "", "for the customers of this group")
	c.Flags().StringVar(&s.customer, "customer", "", "for this customer")
	c.MarkFlagsMutuallyExclusive("group", "customer")
}

func (s *subjectFlags) scope() cloud.Scope {
	switch {
	case s.group != "":
		return cloud.OfGroup(s.group)
	case s.customer != "":
		return cloud.OfCustomer(s.customer)
	}
	return cloud.Fleet
}

// said prints what was done with a document, and at which revision it is.
func (a *app) said(subject, what string, revision int64) error {
	_, err := fmt.Fprintf(a.out, "%s: %s (revision %d)\n", subject, what, revision)
	return err
}
