package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// readyTime bounds the question: a store that hangs is not ready.
const readyTime = 5 * time.Second

// readyVar names the server where --url does not: an image's health check is
// written down, and cannot be told another address.
const readyVar = "TIDEMARK_READY_URL"

func newReady(*app) *cobra.Command {
	address := ""
	c := &cobra.Command{
		Use:   "ready",
		Short: "Ask a server on this machine whether it can serve",
		Long: `Asks a server for /readyz and ends with 0 when it can serve now, with 4 when it
cannot or does not answer: for the health check of a container, which has no
other program. No key is sent, and whose certificate it is does not matter.

A server that listens elsewhere, or with TLS, is named by --url, or by
TIDEMARK_READY_URL in the environment, for a health check that is fixed.`,
		Example: "  tidemark-cloud ready\n  tidemark-cloud ready --url https://127.0.0.1:8443",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&address, "url", "", "of the server (or "+readyVar+"; default http://"+defaultListen+")")
	c.RunE = func(c *cobra.Command, _ []string) error {
		u, err := url.Parse(cmp.Or(address, os.Getenv(readyVar), "http://"+defaultListen))
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return &command.UsageError{Err: fault.New("read the command line", errors.New("--url or "+readyVar+" is no http or https address"), "for example http://127.0.0.1:8080")}
		}
		if err := askReady(c.Context(), u.JoinPath("readyz").String()); err != nil {
			return unreachable{fault.New("ask whether the server is ready", err, "its log says why; --url names one that listens elsewhere")}
		}
		return nil
	}
	return c
}

func askReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	// It is this machine that is asked, by a name that is in no certificate.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", answer.Status)
	}
	return nil
}
