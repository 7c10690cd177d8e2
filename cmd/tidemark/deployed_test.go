package main

import (
	"path/filepath"
	"testing"

	"tidemark/internal/command/commandtest"
)

// What unit, images and compose.yaml run are commands that there are, with
// flags that there are.
func TestDeployedCommands(t *testing.T) {
	for _, args := range commandtest.Deployed(t, "../../deploy", "tidemark", "agent") {
		commandtest.Runs(t, newRoot(&app{}), args)
	}
}

// What the documents tell to type, too.
func TestDocumentedCommands(t *testing.T) {
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commandtest.Documented(t, newRoot(&app{}), append(documents, "../../README.md")...)
}
