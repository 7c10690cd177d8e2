package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
	"tidemark/deploy"
	"tidemark/internal/fault"
	"tidemark/sqlserver"
)

// An initiation is one run of "tidemark init".
type initiation struct {
	*app
	prompt *prompt // nil: nobody to ask
	config.Draft
	from  string
	code  string
	force bool
	proxy string // as the flag says

	key, password, proxied initSecret
}

func newInit(a *app) *cobra.Command {
	i := &initiation{app: a}
	c := &cobra.Command{
		Use:   "init",
		Short: "Ask a few questions and write the configuration file",
		Long: `Asks for the cloud, the database and its login, connects, shows the tables with
their rows, sizes, keys and how changes of them would be found, asks which of
them to keep in the cloud, and writes the configuration file. Passwords and keys
go to the secret store (see "tidemark secret"), never into the file.

Where standard input is no terminal, or with --from, nothing is asked: what is
needed comes from flags and from a file of answers, YAML with the names of the
flags (with _ for -) and besides "key", "password", and "kerberos" and "entra" as
in the configuration. A one-time code (see "tidemark enroll") does for customer
and key; it is used up last of all, when everything else has worked. Key and
password may also be in the secret store already, as cloud.key and sql.password.
Without --tables all tables that can be synced are taken.`,
		Example: `  tidemark init
  tidemark init --from answers.yaml
  tidemark init --code acme-7K3QP-9XFMA-2WPDC-HT4VB
  tidemark init --customer acme --url https://tidemark.example.com --server db01 --database Sales --user tidemark \
      --tables 'dbo.*,!dbo.*_log'`,
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&i.from, "from", "", "file of answers; it may hold secrets, so remove it afterwards")
	f.BoolVar(&i.force, "force", false, "overwrite a configuration file that is there")
	f.StringVar(&i.code, "code", "", "one-time code from the cloud's operator, in place of customer and key")
	f.StringVar(&i.Customer, "customer", "", "the customer, as the cloud's operator named it")
	f.StringVar(&i.URL, "url", "", "address of the cloud API")
	f.StringVar(&i.CloudCA, "cloud-ca", "", "file with PEM certificates to trust for the cloud besides the system's")
	f.StringVar(&i.proxy, "proxy", "", "way to the cloud: system, none or http://proxy:3128 (a password: in the answers)")
	f.StringVar(&i.Server, "server", "", `SQL Server: host, host:port or host\instance`)
	f.StringVar(&i.Database, "database", "", "its database")
	f.StringVar(&i.Authentication, "authentication", "", "sql, windows, kerberos or entra (default: as --user says)")
	f.StringVar(&i.User, "user", "", `its login; windows: DOMAIN\name; kerberos: name@REALM; entra: client id`)
	f.StringVar(&i.Kerberos.Keytab, "keytab", "", "kerberos: file with the user's keys, in place of a password")
	f.StringVar(&i.Entra.Method, "entra-method", "", "entra: default, service-principal or managed-identity")
	f.StringVar(&i.Encrypt, "encrypt", "", "strict, true, login or off (default true)")
	f.BoolVar(&i.TrustServerCertificate, "trust-server-certificate", false, "accept whatever certificate the server has")
	f.StringVar(&i.CA, "ca", "", "file with PEM certificates that the server's was signed by")
	f.StringVar(&i.StateDir, "state-dir", "", "where the service keeps its state")
	f.StringSliceVar(&i.Tables, "tables", nil, "names or patterns; with ! in front: not those")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if i.from == "" {
			i.prompt = newPrompt(cmd.InOrStdin(), a.err)
		}
		return i.run(cmd.Context())
	}
	return c
}

var errThere = errors.New("the file is there already")

func (i *initiation) run(ctx context.Context) error {
	op := "write " + i.configPath
	if _, err := os.Stat(i.configPath); err == nil && !i.force {
		return fault.New(op, errThere, "--force overwrites it, --config names another")
	}
	if err := i.readAnswers(); err != nil {
		return err
	}
	if err := i.askCloud(ctx); err != nil {
		return err
	}
	all, err := i.reach(ctx)
	if err != nil {
		return err
	}
	chosen, err := i.askTables(ctx, all)
	if err != nil {
		return err
	}
	tables := draftTables(all, chosen)
	text, err := i.text(tables)
	if err != nil {
		return err
	}
	if i.code != "" {
		if err := i.enrolLast(ctx); err != nil {
			return err
		}
		if text, err = i.text(tables); err != nil {
			return err
		}
	}
	return i.write(op, text)
}

// text is the configuration file, checked.
func (i *initiation) text(tables []config.DraftTable) ([]byte, error) {
	text := i.File(i.key.reference, i.password.reference, i.proxied.reference, tables)
	_, err := config.Parse(i.configPath, text)
	return text, err
}

// readAnswers takes from the file of answers what no flag says.
func (i *initiation) readAnswers() error {
	for _, path := range []*string{&i.CA, &i.CloudCA, &i.Kerberos.Keytab} { // the configuration's are beside it
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return fault.New("find "+*path, err, "")
		}
		*path = whole
	}
	if i.from == "" {
		return nil
	}
	text, err := os.ReadFile(i.from)
	if err != nil {
		return configError{fault.New("read the answers", err, "")}
	}
	answers, err := config.ParseDraft(i.from, text)
	if err != nil {
		return err
	}
	flags := i.Draft
	i.Draft = *answers
	for _, f := range []struct{ to, flag *string }{
		{&i.Customer, &flags.Customer}, {&i.URL, &flags.URL}, {&i.Server, &flags.Server}, {&i.Database, &flags.Database},
		{&i.Authentication, &flags.Authentication}, {&i.Kerberos.Keytab, &flags.Kerberos.Keytab}, {&i.Entra.Method, &flags.Entra.Method},
		{&i.CloudCA, &flags.CloudCA}, {&i.User, &flags.User}, {&i.Encrypt, &flags.Encrypt}, {&i.CA, &flags.CA}, {&i.StateDir, &flags.StateDir},
	} {
		if *f.flag != "" {
			*f.to = *f.flag
		}
	}
	i.TrustServerCertificate = i.TrustServerCertificate || flags.TrustServerCertificate
	if len(flags.Tables) > 0 {
		i.Tables = flags.Tables
	}
	return nil
}

// write keeps the secrets and writes the files.
func (i *initiation) write(op string, text []byte) error {
	dir := filepath.Dir(i.configPath)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return refusable(op, err)
	}
	for _, s := range []initSecret{i.key, i.password, i.proxied} {
		if !s.keep {
			continue
		}
		if err := i.keepSecret(s.name, s.value); err != nil {
			return aboutSecret("set the secret "+s.name, err)
		}
	}
	schema := filepath.Join(dir, "tidemark.schema.json")
	if err := errors.Join(replaceFile(i.configPath, text), replaceFile(schema, deploy.ConfigSchema)); err != nil {
		return refusable(op, err)
	}
	_, err := fmt.Fprintf(i.out, "%s is written; look at it, then:\n  tidemark doctor   is everything there that it needs?\n  tidemark plan     what the first cycle will read and send\n", i.configPath)
	return err
}

// replaceFile writes a file that anybody may read, whole or not at all.
func replaceFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // a second time, perhaps
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func refusable(op string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return refusedHere{fault.New(op, err, "run this as an administrator")}
	}
	return fault.New(op, err, "")
}

// reach connects and looks at the tables; a person may correct the answers
// until that works.
func (i *initiation) reach(ctx context.Context) ([]surveyed, error) {
	for {
		if err := i.askSource(ctx); err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintf(i.err, "connecting to %s\n", i.Server)
		all, err := i.look(ctx)
		if err == nil && len(all) == 0 {
			err = fault.New("look at the tables", errNoTables, "the login can see no table: it needs SELECT and VIEW DEFINITION on them")
		}
		if err == nil || i.prompt == nil || ctx.Err() != nil {
			return all, err
		}
		printError(i.err, err)
		if class, _ := sqlserver.Classify(err); class == sqlserver.ClassTLS && i.Encrypt != "strict" {
			if i.TrustServerCertificate, err = i.prompt.yes(ctx, "accept whatever certificate it has, so that anybody could pose as it?"); err != nil {
				return nil, err
			}
		}
	}
}

func (i *initiation) look(ctx context.Context) ([]surveyed, error) {
	source, err := openSource(i.source())
	if err != nil {
		return nil, err
	}
	defer func() { _ = source.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	_, all, err := survey(ctx, source)
	return all, err
}

// source is the draft's source as a configuration has it.
func (i *initiation) source() config.Source {
	s := config.Source{
		Name: "main", Server: i.Server, Port: i.Port, Instance: i.Instance, Database: i.Database, User: i.User,
		Authentication: i.Authentication, Kerberos: i.Kerberos, Entra: i.Entra,
		Encrypt: i.Encrypt, TrustServerCertificate: i.TrustServerCertificate, CA: i.CA,
		MultiSubnetFailover: true, Connections: 1, Pace: config.DefaultPace(),
	}
	if i.password.value != "" {
		s.Password = config.NewSecret(i.password.value)
	}
	return s
}

func (i *initiation) askTables(ctx context.Context, all []surveyed) ([]bool, error) {
	if i.prompt == nil {
		if len(i.Tables) == 0 {
			i.Tables = []string{"all"}
		}
		chosen, err := choose(all, i.Tables)
		if err != nil {
			return nil, fault.New("choose the tables", err, "")
		}
		return chosen, nil
	}
	if err := printSurvey(i.err, all); err != nil {
		return nil, err
	}
	for {
		typed, err := i.prompt.ask(ctx, "which tables: numbers, names, patterns such as dbo.*, !NAME for not that one", strings.Join(append(i.Tables, "all")[:max(1, len(i.Tables))], ","))
		if err != nil {
			return nil, err
		}
		chosen, err := choose(all, split(typed))
		if err == nil {
			return chosen, nil
		}
		_, _ = fmt.Fprintf(i.err, "%s\n", err)
	}
}
