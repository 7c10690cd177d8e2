// Package deploy holds the files that are shipped beside the program.
package deploy

import _ "embed"

// ExampleConfig is a complete configuration file whose comments explain it.
//
//go:embed tidemark.example.yaml
var ExampleConfig []byte

// ConfigSchema is the JSON schema of the configuration file, for editors. It is
// made from the types of agent/config by a test there.
//
//go:embed tidemark.schema.json
var ConfigSchema []byte
