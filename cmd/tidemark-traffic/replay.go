package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tidemark/cloud/traffic/recording"
	"tidemark/cloud/traffic/replay"
	"tidemark/cloud/traffic/ship"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	to, keys, ca string
	speed        float64
	atOnce       int
}

func newReplay() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay FILE",
		Short: "Send recorded requests to another installation",
		Long: `Sends the requests that tidemark-cloud serve --record wrote to another
installation of the API, which starts from a copy of the database as it was when
the recording began. Requests of one table keep their order; the spacing is that
of the recording, divided by --speed.

At the end both sides stand beside each other, by endpoint: latency, status, and
blocks that Postgres read or found in memory. An answer with another status than
recorded is named. The recorded installation is refused.

The keys are not in the recording: make new ones in the copy, with
tidemark-cloud customers keys.`,
		Example: `  tidemark-traffic replay --to https://copy:8443 --keys keys --speed 4 monday.recording`,
		Args:    cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&f.to, "to", "", "URL of the other installation")
	c.Flags().StringVar(&f.keys, "keys", "", "file with a customer and its key a line")
	c.Flags().StringVar(&f.ca, "ca", "", "file with the certificates to trust in place of the system's")
	c.Flags().Float64Var(&f.speed, "speed", 1, "how much faster than recorded; 0: as fast as it goes")
	c.Flags().IntVar(&f.atOnce, "at-once", 32, "requests on their way at the same time, 1 to 1024")
	c.Flags().SortFlags = false
	c.RunE = func(c *cobra.Command, args []string) error { return f.replay(c.Context(), args[0], c.OutOrStdout()) }
	return c
}

// errOtherwise is a replay whose answers are not those of the recording.
var errOtherwise = errors.New("the replay is not as recorded: see above")

func (f *replayFlags) replay(ctx context.Context, path string, out io.Writer) error {
	c, err := f.config(path)
	if err != nil {
		return err
	}
	defer c.Client.CloseIdleConnections()
	result, err := replay.Run(ctx, c)
	if result != nil {
		err = errors.Join(err, result.WriteText(out))
	}
	if err != nil {
		return fault.New("replay "+path, err, "")
	}
	if result.Differ > 0 || len(result.Problems) > 0 {
		return errOtherwise
	}
	return nil
}

func (f *replayFlags) config(path string) (replay.Config, error) {
	u, err := url.Parse(f.to)
	switch {
	case f.to == "":
		return replay.Config{}, &command.UsageError{Err: fault.New("read the command line", errors.New("--to is missing"), "It is the URL of the installation to replay to.")}
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return replay.Config{}, &command.ConfigError{Err: fault.New("read --to", fmt.Errorf("%q is no http or https URL", f.to), "")}
	case f.speed < 0:
		return replay.Config{}, &command.UsageError{Err: fault.New("read --speed", errors.New("it is negative"), "0 is as fast as it goes.")}
	case f.atOnce < 1 || f.atOnce > 1024:
		return replay.Config{}, &command.UsageError{Err: fault.New("read --at-once", fmt.Errorf("%d is not from 1 to 1024", f.atOnce), "")}
	}
	keys, err := readKeys(f.keys)
	if err != nil {
		return replay.Config{}, &command.ConfigError{Err: err}
	}
	t, err := ship.ClientTLS(f.ca, "", "")
	if err != nil {
		return replay.Config{}, &command.ConfigError{Err: err}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.MaxIdleConnsPerHost, transport.DisableCompression = t, f.atOnce, true
	return replay.Config{To: u, Keys: keys, Speed: f.speed, AtOnce: f.atOnce, Client: &http.Client{Transport: transport},
		Open: func() (*recording.Reader, io.Closer, error) {
			file, err := os.Open(path)
			if err != nil {
				return nil, nil, err
			}
			r, err := recording.NewReader(file)
			if err != nil {
				return nil, nil, errors.Join(err, file.Close())
			}
			return r, file, nil
		}}, nil
}

// readKeys reads what `tidemark-cloud customers keys` printed.
func readKeys(path string) (map[string]string, error) {
	if path == "" {
		return nil, fault.New("read --keys", errors.New("it is missing"), "Make keys in the copy: tidemark-cloud customers keys > keys")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New("read --keys", err, "")
	}
	defer func() { _ = f.Close() }() // it was only read
	keys := map[string]string{}
	for lines, n := bufio.NewScanner(f), 1; lines.Scan(); n++ {
		customer, key, ok := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if !ok {
			return nil, fault.New("read --keys", fmt.Errorf("line %d is not a customer and a key", n), "")
		}
		keys[customer] = strings.TrimSpace(key)
	}
	return keys, nil
}
