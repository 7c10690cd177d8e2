package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"tidemark/installer"
)

func newService(a *app) *cobra.Command {
	o := installer.Options{}
	c := &cobra.Command{
		Use:   "service",
		Short: "Install, uninstall, start or stop the service",
		Long: `Registers this program, where it lies, with systemd or the Windows service
manager. It copies nothing and creates no account.`,
		Example: `  sudo tidemark service install --user tidemark
  sudo tidemark service start
  tidemark service status`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return needsOneOf(cmd)
		},
	}
	c.PersistentFlags().StringVar(&o.Name, "name", installer.DefaultName, "name of the service")
	sub := func(name, short, done string, do func(*installer.Service) error) *cobra.Command {
		return &cobra.Command{
			Use: name, Short: short, Example: "  tidemark service " + name, Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				o.Config = a.configPath
				s, err := installer.New(o)
				if err != nil {
					return err
				}
				if err := do(s); err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.out, "service %s: %s\n", o.Name, done)
				return err
			},
		}
	}
	install := sub("install", "Register the service, to start with the machine", "installed, start it with `tidemark service start`", func(s *installer.Service) error {
		// A service that cannot start should not be installed.
		if _, err := a.view(); err != nil {
			return err
		}
		return s.Install()
	})
	install.Flags().StringVar(&o.User, "user", "", "account that the service runs as (default: root, on Windows the local system)")
	status := &cobra.Command{
		Use: "status", Short: "What the service manager says", Example: "  tidemark service status", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			s, err := installer.New(o)
			if err != nil {
				return err
			}
			state, err := s.Status()
			if err != nil {
				return err
			}
			if _, err = fmt.Fprintf(a.out, "service %s: %s\n", o.Name, state); err == nil && state != "running" {
				return errUnwell
			}
			return err
		},
	}
	c.AddCommand(install, sub("uninstall", "Stop and unregister the service; its files stay", "uninstalled", (*installer.Service).Uninstall),
		sub("start", "Start the service", "started", (*installer.Service).Start), sub("stop", "Stop the service", "stopped", (*installer.Service).Stop), status)
	return c
}
