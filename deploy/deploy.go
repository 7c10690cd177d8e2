// Package deploy holds the files that are shipped beside the program.
package deploy

import _ "embed"

// ExampleConfig is a complete configuration file whose comments explain it.
//
//go:embed tidemark.example.yaml
var ExampleConfig []byte
