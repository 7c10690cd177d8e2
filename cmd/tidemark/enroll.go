package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tidemark/agent/config"
	"tidemark/agent/secrets"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/uploader"
)

// An enrolment is how the cloud is reached before there is a key.
type enrolment struct {
	url, ca, proxy string
	customer       string // of the configuration; "" where there is none yet
	secret         string // the name that the key is kept under
	tls            uploader.TLS
}

func newEnroll(a *app) *cobra.Command {
	e := enrolment{}
	c := &cobra.Command{
		Use:   "enroll [CODE]",
		Short: "Exchange a one-time code for the customer's key",
		Long: `Exchanges a one-time code, which the cloud's operator makes, for the customer's
key and keeps that in the secret store. The code is good once. Without it on the
command line it is read from standard input.

How the cloud is reached is in the configuration file; where there is none yet,
--url, --ca and --proxy say it, and "tidemark init" goes on from there. A running
service is told to take the new key.`,
		Example: `  tidemark enroll acme-7K3QP-9XFMA-2WPDC-HT4VB
  tidemark enroll --url https://tidemark.example.com acme-7K3QP-9XFMA-2WPDC-HT4VB`,
		Args: cobra.MaximumNArgs(1),
	}
	c.Flags().StringVar(&e.url, "url", "", "address of the cloud API (default: the configuration's)")
	c.Flags().StringVar(&e.ca, "ca", "", "file with PEM certificates to trust besides the system's")
	c.Flags().StringVar(&e.proxy, "proxy", "", "way to the cloud: system, none or http://proxy:3128 (default: the configuration's)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		code, err := a.askCode(cmd.Context(), cmd.InOrStdin(), args)
		if err != nil {
			return fault.New("read the code", err, "")
		}
		if err := a.knownCloud(&e); err != nil {
			return err
		}
		got, err := a.enroll(cmd.Context(), e, code)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(a.out, "enrolled as %s; the key is kept, ${secret:%s} stands for it in the configuration\n", got.Customer, e.secret); err != nil {
			return err
		}
		a.tellService(cmd.Context())
		return nil
	}
	return c
}

// askCode takes the code from the arguments, a terminal or standard input.
func (a *app) askCode(ctx context.Context, in io.Reader, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	if p := newPrompt(in, a.err); p != nil {
		return p.ask(ctx, "code", "")
	}
	b, err := io.ReadAll(io.LimitReader(in, 1<<10))
	return strings.TrimSpace(string(b)), err
}

// knownCloud completes what the command line says with the configuration,
// where there is one.
func (a *app) knownCloud(e *enrolment) error {
	e.secret = defaultKey
	c, err := a.view()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if e.url == "" {
			return usageError{fault.New("enrol", errors.New("there is no configuration file yet"), "say with --url where the cloud is")}
		}
		c = &config.Config{}
	case err != nil:
		return err
	}
	if e.url == "" {
		e.url = c.Cloud.URL
	}
	if err := config.CheckURL(e.url, c.Cloud.AllowHTTP); err != nil {
		return usageError{fault.New("read the address of the cloud", err, "for example https://tidemark.example.com")}
	}
	if e.ca == "" {
		e.ca = c.Cloud.CA
	}
	if e.proxy != "" {
		if err := flagProxy(e.proxy, "set HTTPS_PROXY to it for this command, or give it in the file of answers of `tidemark init`"); err != nil {
			return err
		}
	} else if e.proxy, err = c.Cloud.Proxy.Value(); err != nil {
		return configError{fault.New("configure the cloud client", err, "see cloud.proxy in the configuration")}
	}
	e.customer = c.Customer
	e.tls = uploader.TLS{CA: e.ca, Certificate: c.Cloud.ClientCert, Key: c.Cloud.ClientKey, Pin: c.Cloud.Pin, Pins: c.Cloud.Pins}
	if name := c.Cloud.StoredKey(); name != "" {
		e.secret = name
	} else if !c.Cloud.Key.IsZero() {
		return configError{fault.New("enrol", fmt.Errorf("the configuration takes the key from %s", c.Cloud.Key.Origin()),
			"with key: ${secret:"+defaultKey+"} it is kept by this command")}
	}
	return nil
}

// flagProxy refuses what --proxy cannot say. hint is where a password belongs:
// a command line is for all to read.
func flagProxy(proxy, hint string) error {
	const op = "read the proxy"
	if strings.Contains(proxy, "@") {
		return usageError{fault.New(op, errors.New("a password does not belong on a command line"), hint)}
	}
	if err := config.CheckProxy(proxy); err != nil {
		return usageError{fault.New(op, err, "system, none, or an address such as http://proxy:3128")}
	}
	return nil
}

// defaultKey is the customer's key in the secret store.
const defaultKey = "cloud.key"

var errOtherCustomer = errors.New("the code is for another customer")

// enroll exchanges the code and keeps the key. What can be found out before is
// found out before: the code is good once.
func (a *app) enroll(ctx context.Context, e enrolment, code string) (wire.Enrolled, error) {
	if err := fitting(code, e.customer); err != nil {
		return wire.Enrolled{}, err
	}
	store := secrets.Beside(a.configPath)
	store.OwnedLike(a.stateDir())
	if err := store.Ready(); err != nil {
		return wire.Enrolled{}, aboutSecret("keep the key in "+store.Dir(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	got, err := uploader.Enroll(ctx, uploader.Config{BaseURL: e.url, UserAgent: "tidemark/" + build(), TLS: e.tls, Proxy: e.proxy}, code)
	if err != nil {
		return got, err
	}
	if err := store.Set(e.secret, got.Key); err != nil {
		return got, fault.New("keep the key", err, "the code is used up: the operator makes another with `tidemark-cloud customers invite`")
	}
	return got, nil
}

// fitting refuses a code that cannot be one, or is not for the customer, where
// that is known.
func fitting(code, customer string) error {
	const op = "enrol"
	switch owner := codeCustomer(code); {
	case owner == "":
		return usageError{fault.New(op, errors.New("that is no whole code"), "it looks like acme-7K3QP-9XFMA-2WPDC-HT4VB: the customer and four groups")}
	case customer != "" && owner != customer:
		return fault.New(op, fmt.Errorf("%w: %q, and the configuration's is %q", errOtherCustomer, owner, customer),
			"the code was not used: correct customer in the configuration, or take a code for it")
	}
	return nil
}

// codeCustomer is who a code is for: what stands before its four groups.
func codeCustomer(code string) string {
	groups := strings.Split(strings.Join(strings.Fields(code), ""), "-")
	return strings.ToLower(strings.Join(groups[:max(0, len(groups)-4)], "-"))
}
