package main

import (
	"context"
	"io"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
	"tidemark/internal/fault"
)

// An app is what all commands share.
type app struct {
	configPath string
	out, err   io.Writer
	begun      bool // the command line was understood
}

// run runs one command line and returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{out: out, err: errOut}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := root.ExecuteContext(ctx)
	if err != nil && !a.begun {
		err = usageError{fault.New("read the command line", err, "`tidemark --help` lists the commands, `tidemark COMMAND --help` what one takes")}
	}
	if err != nil {
		printError(errOut, err)
	}
	return exitCode(err)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "tidemark",
		Short: "Keeps a cloud copy of SQL Server tables",
		Long: `Tidemark keeps a cloud copy of SQL Server tables.

One service runs at a site, reads what changed, decides how little it can do
about it, and sends that to the cloud. The commands look after it.`,
		Example: `  tidemark config check     is the configuration file right?
  tidemark doctor           is everything that it needs there?
  tidemark once             one cycle of every table, in this terminal
  tidemark service install  from now on as a service
  tidemark status           is all well?`,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRun:  func(*cobra.Command, []string) { a.begun = true },
	}
	root.PersistentFlags().StringVar(&a.configPath, "config", defaultConfig(), "configuration file (or TIDEMARK_CONFIG)")
	// The default depends on machine and environment: help says it in words.
	root.PersistentFlags().Lookup("config").DefValue = ""

	root.AddGroup(&cobra.Group{ID: "run", Title: "Running:"}, &cobra.Group{ID: "look", Title: "Looking:"},
		&cobra.Group{ID: "act", Title: "Acting:"}, &cobra.Group{ID: "setup", Title: "Setting up:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("run", newRun(a), newOnce(a), newService(a))
	add("look", newStatus(a), newExplain(a), newJournal(a), newLogs(a), newDoctor(a), newPlan(a), newBundle(a), newVersion(a))
	add("act", newSync(a), newDiff(a), newApprove(a), newQuarantine(a), newPause(a), newResume(a), newReload(a))
	add("setup", newInit(a), newEnroll(a), newConfig(a), newSecret(a))
	root.AddCommand(newExitCodesTopic())
	root.SetHelpCommandGroupID("setup")
	return root
}

func defaultConfig() string {
	if path := os.Getenv("TIDEMARK_CONFIG"); path != "" {
		return path
	}
	return config.DefaultPath()
}

// configError is a configuration that cannot be read at all.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

// config reads the configuration with all that it refers to.
func (a *app) config() (*config.Config, error) { return asConfigError(config.Load(a.configPath)) }

// view reads the configuration for a command that only needs to know where
// the service is.
func (a *app) view() (*config.Config, error) { return asConfigError(config.LoadForView(a.configPath)) }

func asConfigError(c *config.Config, err error) (*config.Config, error) {
	if err != nil {
		return nil, configError{err}
	}
	recall(c)
	return c, nil
}
