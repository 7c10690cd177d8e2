// Command lambda is the AWS Lambda function (runtime provided.al2023) that
// ships the access logs of load balancers from S3 to an HTTP endpoint. All of
// its settings are in its environment; deploy/lambda has a template.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	runtime "github.com/aws/aws-lambda-go/lambda"

	"tidemark/cloud/traffic/lambda"
	"tidemark/cloud/traffic/ship"
	"tidemark/internal/command"
	"tidemark/internal/fault"
)

const (
	urlVariable  = "TIDEMARK_TRAFFIC_TO"
	caVariable   = "TIDEMARK_TRAFFIC_CA"
	gzipVariable = "TIDEMARK_TRAFFIC_GZIP"
)

func main() {
	h, err := newHandler()
	if err != nil {
		command.PrintError(os.Stderr, "tidemark-traffic lambda", err)
		os.Exit(command.Config)
	}
	runtime.Start(h.Handle)
}

func newHandler() (*lambda.Handler, error) {
	to, err := ship.Settings{URL: os.Getenv(urlVariable), CA: os.Getenv(caVariable), Gzip: os.Getenv(gzipVariable) != "false", Getenv: os.Getenv,
		Failed: func(err error, wait time.Duration) {
			log(map[string]any{"event": "not_delivered", "error": err.Error(), "wait_ns": wait})
		}}.Endpoint()
	if err != nil {
		return nil, fault.New("read the environment", err, urlVariable+" is the endpoint's URL.")
	}
	objects, err := newObjects(os.Getenv)
	if err != nil {
		return nil, err
	}
	return &lambda.Handler{Objects: objects, Ship: ship.Shipper{To: to, Rejects: rejects{}, Workers: ship.DefaultWorkers, Block: ship.DefaultBlock},
		Tell: func(o lambda.Outcome) { log(map[string]any{"event": "object", "outcome": o}) }}, nil
}

// log writes one line, which CloudWatch keeps.
func log(v any) {
	if b, err := json.Marshal(v); err == nil {
		fmt.Fprintln(os.Stderr, string(b))
	}
}

// maxText is how much of a line that is set aside the log gets: an entry of
// CloudWatch has at most 256 KiB.
const maxText = 100 << 10

// rejects sets lines aside in the log.
type rejects struct{}

// Put implements ship.Rejects.
func (rejects) Put(r ship.Reject) error {
	r.Text = r.Text[:min(len(r.Text), maxText)]
	log(map[string]any{"event": "set_aside", "line": r})
	return nil
}
