package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// The parts of a CycloneDX 1.5 document (https://cyclonedx.org/docs/1.5/json/)
// that are used.
type (
	document struct {
		Format       string       `json:"bomFormat"`
		Spec         string       `json:"specVersion"`
		Serial       string       `json:"serialNumber"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Timestamp  string     `json:"timestamp"`
		Component  component  `json:"component"`
		Properties []property `json:"properties"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version,omitempty"`
		PURL       string     `json:"purl,omitempty"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn"`
	}
)

// bom writes what is linked into a program, as the program itself says.
func (r *release) bom(t target, program string) error {
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	built, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	body, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	d := document{Format: "CycloneDX", Spec: "1.5", Version: 1, Serial: "urn:uuid:" + nameUUID("bom", name, r.version, r.commit, t.os, t.arch)}
	d.Metadata = metadata{
		Timestamp: r.time.Format(time.RFC3339),
		Component: component{
			Type: "application", Ref: name, Name: name, Version: r.version,
			Hashes: []hash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(body))}},
		},
		Properties: []property{{"tidemark:commit", r.commit}, {"tidemark:os", t.os}, {"tidemark:arch", t.arch}},
	}
	std := component{Type: "library", Ref: "std", Name: "std", Version: built.GoVersion, PURL: "pkg:golang/std@" + built.GoVersion[2:]}
	d.Components = append(d.Components, std)
	on := []string{std.Ref}
	for _, m := range built.Deps {
		c := linked(m)
		d.Components = append(d.Components, c)
		on = append(on, c.Ref)
	}
	d.Dependencies = []dependency{{Ref: name, On: on}}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, name+strings.TrimPrefix(r.folder(t), "tidemark")+".cdx.json"), append(text, '\n'), 0o644)
}

// linked describes a module. Its checksum is that of go.sum, over the module's
// files, which is none of CycloneDX' kinds of hashes.
func linked(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	url := "pkg:golang/" + m.Path + "@" + m.Version
	return component{Type: "library", Ref: url, Name: m.Path, Version: m.Version, PURL: url, Properties: []property{{"go:sum", m.Sum}}}
}
