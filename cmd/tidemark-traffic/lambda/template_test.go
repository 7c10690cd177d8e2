package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// The template's variables are those that the function reads: with them it
// signs in and compresses. Its queue shows a message again no sooner than the
// function is over with it, and learns which of a batch return.
func TestTemplate(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/lambda/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources struct {
			Events struct {
				Properties struct {
					Away int `yaml:"VisibilityTimeout"`
				} `yaml:"Properties"`
			} `yaml:"Events"`
			Ship struct {
				Properties struct {
					Timeout     int `yaml:"Timeout"`
					Environment struct {
						Variables map[string]string `yaml:"Variables"`
					} `yaml:"Environment"`
					Events struct {
						Queue struct {
							Properties struct {
								Returns []string `yaml:"FunctionResponseTypes"`
							} `yaml:"Properties"`
						} `yaml:"Queue"`
					} `yaml:"Events"`
				} `yaml:"Properties"`
			} `yaml:"Ship"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	function := template.Resources.Ship.Properties
	if wait := template.Resources.Events.Properties.Away; function.Timeout == 0 || wait < 6*function.Timeout {
		t.Errorf("a message is away for %d s, the function takes up to %d s", wait, function.Timeout)
	}
	if !slices.Contains(function.Events.Queue.Properties.Returns, "ReportBatchItemFailures") {
		t.Error("a batch returns as a whole")
	}

	w := newWorld(t)
	var mu sync.Mutex
	var seen http.Header
	w.endpoint = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = r.Header.Clone()
		mu.Unlock()
		w.take(out, r)
	}))
	t.Cleanup(w.endpoint.Close)
	parameters := map[string]string{"Endpoint": w.endpoint.URL, "Token": "a token"}
	for name, value := range function.Environment.Variables {
		if given, ok := parameters[value]; ok { // !Ref
			value = given
		}
		t.Setenv(name, value)
	}
	if os.Getenv(urlVariable) != w.endpoint.URL {
		t.Errorf("%s is %q", urlVariable, os.Getenv(urlVariable))
	}
	w.put("logs/1.log.gz", 10)
	log := w.start(t)
	if back := failures(t, w.invoke(t, sqsEvent(t, s3Event(created("1.log.gz"))), time.Minute)); len(back) > 0 {
		t.Errorf("%q return: %s", back, log)
	}
	mu.Lock()
	defer mu.Unlock()
	if seen.Get("Authorization") != "Bearer a token" || seen.Get("Content-Encoding") != "gzip" {
		t.Errorf("it sent %v", seen)
	}
}
