package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
	"tidemark/agent/secrets"
	"tidemark/installer"
	"tidemark/internal/fault"
)

// serviceOptions are what the commands about the service are told.
type serviceOptions struct {
	name, user string
	password   bool
	purge      bool
	start      bool
	register   bool
}

func newService(a *app) *cobra.Command {
	o := &serviceOptions{}
	c := &cobra.Command{
		Use:   "service",
		Short: "Install, repair, start or stop the service",
		Long: `Registers this program, where it lies, with systemd or the Windows service
manager, under an account of its own, and looks after that. Each of these may be
repeated: what is as it should be stays as it is.`,
		Example: `  sudo tidemark service install
  sudo tidemark service start
  tidemark service status`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return needsOneOf(cmd)
		},
	}
	c.PersistentFlags().StringVar(&o.name, "name", installer.DefaultName, "name of the service")
	c.AddCommand(newServiceInstall(a, o), newServiceUninstall(a, o), newServiceRepair(a, o), newServiceStatus(a, o),
		a.serviceDo(o, "start", "Start the service", "runs", (*installer.Service).Start),
		a.serviceDo(o, "stop", "Stop the service", "is stopped", (*installer.Service).Stop),
		a.serviceDo(o, "restart", "Stop the service and start it again", "runs", (*installer.Service).Restart))
	return c
}

// serviceDo is a command that does one thing.
func (a *app) serviceDo(o *serviceOptions, name, short, done string, do func(*installer.Service, context.Context) error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Example: "  tidemark service " + name, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name != "stop" { // what cannot start is told here, not in a log
				if _, err := a.view(); err != nil {
					return err
				}
			}
			s, err := a.service(cmd, o)
			if err != nil {
				return err
			}
			if err := do(s, cmd.Context()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "service %s: %s\n", o.name, done)
			return err
		},
	}
}

func newServiceInstall(a *app, o *serviceOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "install",
		Short: "Register the service, to start with the machine",
		Long: `Registers the service, to start with the machine and again when it dies. It does
not start it. The account gets what it needs of the configuration and the state.

Without --user it runs on Linux as the user tidemark, who is made when missing,
and on Windows as the virtual account NT SERVICE\tidemark, which has no password.
On Windows --user may also be a group managed account (EXAMPLE\tidemark$), or a
named one with --password, which asks for it or reads it from standard input.`,
		Example: "  sudo tidemark service install\n  tidemark service install --user 'EXAMPLE\\tidemark$'",
		Args:    cobra.NoArgs,
	}
	accountFlags(c, o)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		// A service that cannot start should not be installed.
		if _, err := a.view(); err != nil {
			return err
		}
		s, err := a.service(cmd, o)
		if err != nil {
			return err
		}
		changed, err := s.Install()
		return a.serviceTold(o, changed, err, "installed, start it with `tidemark service start`", "is installed already")
	}
	return c
}

func newServiceRepair(a *app, o *serviceOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "repair",
		Short: "Bring the service's registration in order",
		Long: `Brings everything about the service's registration in order that may have been
changed, or that whoever registered it could not say: program and configuration,
account, start with the machine, what happens when it dies, and the rights of
its folders. An account that somebody chose stays. Packages run this with
--register and --start.`,
		Example: "  sudo tidemark service repair",
		Args:    cobra.NoArgs,
	}
	accountFlags(c, o)
	c.Flags().BoolVar(&o.register, "register", false, "register it where it is not, even without a configuration")
	c.Flags().BoolVar(&o.start, "start", false, "then start it, if there is a configuration")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := a.service(cmd, o)
		if err != nil {
			return err
		}
		changed, err := s.Repair(o.register)
		if err := a.serviceTold(o, changed, err, "in order now", "was in order"); err != nil {
			return err
		}
		if o.start && a.configured() {
			// Whether it comes up is the service's to tell: what was asked for
			// here is done.
			if err := s.Start(cmd.Context()); err != nil {
				printError(a.err, err)
			}
		}
		return nil
	}
	return c
}

func newServiceUninstall(a *app, o *serviceOptions) *cobra.Command {
	c := &cobra.Command{
		Use:   "uninstall",
		Short: "Stop and unregister the service; its files stay",
		Long: `Stops the service and unregisters it. Configuration, secrets and state stay; with
--purge what it remembers goes, which costs a round of comparison if it is
installed again.`,
		Example: "  sudo tidemark service uninstall",
		Args:    cobra.NoArgs,
	}
	c.Flags().BoolVar(&o.purge, "purge", false, "also remove the state")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		s, err := a.service(cmd, o)
		if err != nil {
			return err
		}
		there, err := s.Uninstall(o.purge)
		if err != nil {
			return err
		}
		done := "uninstalled"
		if !there {
			done = "was not installed"
		}
		_, err = fmt.Fprintf(a.out, "service %s: %s\n", o.name, done)
		return err
	}
	return c
}

func newServiceStatus(a *app, o *serviceOptions) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "What the service manager says", Example: "  tidemark service status", Args: cobra.NoArgs,
		Long: `Asks systemd or the Windows service manager: running, stopped or failed. It ends
with 0 only for the first. "tidemark status" tells how the service fares.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.service(cmd, o)
			if err != nil {
				return err
			}
			state, err := s.Status()
			if err != nil {
				return err
			}
			if _, err = fmt.Fprintf(a.out, "service %s: %s\n", o.name, state); err == nil && state != "running" {
				return errUnwell
			}
			return err
		},
	}
}

func accountFlags(c *cobra.Command, o *serviceOptions) {
	c.Flags().StringVar(&o.user, "user", "", "account that the service runs as")
	c.Flags().BoolVar(&o.password, "password", false, "ask for the account's password, or read it from standard input (Windows)")
}

// service is the service that the options tell of. Where the configuration
// cannot be read, state and log are where they are by default.
func (a *app) service(cmd *cobra.Command, o *serviceOptions) (*installer.Service, error) {
	made := installer.Options{
		Name: o.name, Config: a.configPath, User: o.user,
		State: config.DefaultStateDir(), Secrets: secrets.Beside(a.configPath).Dir(),
	}
	if c, err := a.view(); err == nil {
		made.State = c.StateDir
		if c.Log.File != "" {
			made.Writable = append(made.Writable, filepath.Dir(c.Log.File))
		}
	}
	if o.password {
		var err error
		if made.Password, err = a.accountPassword(cmd.Context(), cmd.InOrStdin(), o.user); err != nil {
			return nil, err
		}
	}
	return installer.New(made)
}

func (a *app) accountPassword(ctx context.Context, in io.Reader, user string) (string, error) {
	if runtime.GOOS != "windows" || user == "" {
		return "", usageError{fault.New("read the command line", errors.New("--password is for accounts of Windows, named with --user"), "")}
	}
	return a.askSecret(ctx, in, "password of "+user)
}

// serviceTold tells what was changed about the registration.
func (a *app) serviceTold(o *serviceOptions, changed []string, err error, done, same string) error {
	if len(changed) == 0 {
		done = same
	}
	for _, what := range changed {
		if _, printed := fmt.Fprintf(a.out, "service %s: %s\n", o.name, what); printed != nil {
			return errors.Join(err, printed)
		}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "service %s: %s\n", o.name, done)
	return err
}

// configured tells whether there is a configuration, right or not.
func (a *app) configured() bool {
	_, err := os.Stat(a.configPath)
	return err == nil
}
