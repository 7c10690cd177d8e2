package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent"
	"tidemark/agent/config"
	"tidemark/agent/control"
	"tidemark/agent/secrets"
	"tidemark/internal/fault"
)

func newSecret(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "secret",
		Short: "Keep passwords and keys out of the configuration file",
		Long: `Keeps secrets in a directory beside the configuration file, where only the
service's account can read them; on Windows they are sealed with DPAPI besides.
In the configuration file, ${secret:NAME} stands for one.

Credentials that systemd hands to the service (LoadCredential=) are found under
their names too, and come first.`,
		Example: "  tidemark secret set sql.password\n  tidemark secret list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return needsOneOf(cmd)
		},
	}
	c.AddCommand(newSecretSet(a), newSecretList(a), newSecretRemove(a))
	return c
}

func newSecretSet(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "set NAME",
		Short: "Ask for a secret and keep it",
		Long: `Asks for a secret twice, without showing it, and keeps it. Where standard input
is no terminal it is read from there, without the line's end.

A running service whose configuration refers to the secret is told to read it.`,
		Example: "  tidemark secret set sql.password\n  tidemark secret set cloud.key < acme.key",
		Args:    secretName,
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		value, err := a.askSecret(cmd.Context(), cmd.InOrStdin(), args[0])
		if err == nil {
			err = a.keepSecret(args[0], value)
		}
		if err != nil {
			return aboutSecret("set the secret "+args[0], err)
		}
		if _, err := fmt.Fprintf(a.out, "kept; ${secret:%s} stands for it in the configuration\n", args[0]); err != nil {
			return err
		}
		if c, err := a.view(); err == nil && len(c.StoredSecrets()[args[0]]) > 0 {
			a.tellService(cmd.Context())
		}
		return nil
	}
	return c
}

// tellService has a running service read a secret that was kept just now: one
// that was refused would not be tried again for minutes. That the service
// cannot is told, and no error: the secret is kept.
func (a *app) tellService(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	reached := false
	_, err := a.ask(func(c agent.Control) error {
		err := c.Reload(ctx)
		reached = !errors.Is(err, control.ErrNotRunning)
		return err
	})
	switch {
	case !reached:
	case err != nil:
		_, _ = fmt.Fprint(a.err, "the running service goes on without it:\n")
		printError(a.err, err)
	default:
		_, _ = fmt.Fprintln(a.out, "the running service has taken it")
	}
}

// keepSecret keeps a secret where the service will find it.
func (a *app) keepSecret(name, value string) error {
	store := secrets.Beside(a.configPath)
	store.OwnedLike(a.stateDir())
	return store.Set(name, value)
}

// stateDir is where the service has its state; who owns it is the service.
func (a *app) stateDir() string {
	if c, err := a.view(); err == nil {
		return c.StateDir
	}
	return config.DefaultStateDir()
}

var errTwice = errors.New("these were not the same")

// askSecret asks for a secret twice at a terminal, and reads all of what is no
// terminal.
func (a *app) askSecret(ctx context.Context, in io.Reader, name string) (string, error) {
	p := newPrompt(in, a.err)
	if p == nil {
		b, err := io.ReadAll(io.LimitReader(in, secrets.MaxBytes+1))
		return string(b), err
	}
	typed, err := p.secret(ctx, name)
	if err != nil {
		return "", err
	}
	again, err := p.secret(ctx, "once more")
	if err == nil && again != typed {
		err = errTwice
	}
	return typed, err
}

func newSecretList(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the secrets, and what the configuration uses them for",
		Long: `Lists the names of the secrets, when each was set, and the fields of the
configuration that refer to it; those that it refers to and that are not there
are listed as missing. It never shows a secret.`,
		Example: "  tidemark secret list",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(c)
	c.RunE = func(*cobra.Command, []string) error {
		all, err := a.listSecrets()
		if err != nil {
			return aboutSecret("list the secrets", err)
		}
		if *asJSON {
			return a.printJSON(all)
		}
		return printSecrets(a.out, all)
	}
	return c
}

// secretName is the check of an argument that names a secret.
func secretName(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s needs the name of one secret, and never the secret itself", c.Name())
	}
	return secrets.CheckName(args[0])
}

func newSecretRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME",
		Short:   "Forget a secret",
		Example: "  tidemark secret remove sql.password",
		Args:    secretName,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := secrets.Beside(a.configPath).Remove(args[0]); err != nil {
				return aboutSecret("remove the secret "+args[0], err)
			}
			_, err := fmt.Fprintln(a.out, "removed")
			return err
		},
	}
}

// refusedHere is what this user may not do with files.
type refusedHere struct{ error }

func (e refusedHere) Unwrap() []error { return []error{e.error, control.ErrRefused} }

// aboutSecret says what was being done, and what helps.
func aboutSecret(op string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return refusedHere{fault.New(op, err, "run this as an administrator")}
	case errors.Is(err, secrets.ErrNone):
		return fault.New(op, err, "`tidemark secret list` lists them")
	}
	return fault.New(op, err, "")
}
