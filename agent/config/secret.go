package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"tidemark/agent/secrets"
)

// A Secret is a text with references to the secret store, to environment
// variables and to files. It
// holds the references, not what they stand for, and shows neither in any
// format: fmt, JSON, YAML and logs all get "[secret]".
type Secret struct {
	// A function, because fmt prints what a pointer leads to where the
	// Secret is in an unexported field and its methods cannot be called.
	get func() reference
}

type reference struct {
	text string // with ${...} in it
	dir  string // that relative files are in
	file string // the file that it is, instead of a text
}

const redacted = "[secret]"

// maxSecret bounds what is read from a file for a secret.
const maxSecret = 64 << 10

var referencePattern = regexp.MustCompile(`\$\{(secret|env|file):([^}]*)\}`)

// NewSecret returns a secret that is known already, for programs that make
// their configuration themselves. References in it are followed as in a file.
func NewSecret(text string) Secret { return secretOf(reference{text: text}) }

func secretOf(r reference) Secret { return Secret{func() reference { return r }} }

// IsZero reports whether none was given.
func (s Secret) IsZero() bool { return s.get == nil }

// Value reads the secret: it follows every reference anew. White space at the
// end of a file is not part of it. The error names the reference and never
// the secret. A zero Secret is "".
func (s Secret) Value() (string, error) {
	if s.get == nil {
		return "", nil
	}
	if s.get().file != "" {
		return s.get().follow("file", s.get().file)
	}
	var errs []error
	value := referencePattern.ReplaceAllStringFunc(s.get().text, func(r string) string {
		m := referencePattern.FindStringSubmatch(r)
		text, err := s.get().follow(m[1], m[2])
		if err != nil {
			errs = append(errs, err)
		}
		return text
	})
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	return value, nil
}

func (r reference) follow(kind, name string) (string, error) {
	if kind == "env" {
		text, ok := os.LookupEnv(name)
		switch {
		case !ok:
			return "", fmt.Errorf("the environment variable %s is not set", name)
		case text == "":
			return "", fmt.Errorf("the environment variable %s is empty", name)
		}
		return text, nil
	}
	if kind == "secret" {
		text, err := r.store().Get(name)
		switch {
		case errors.Is(err, secrets.ErrNone), errors.Is(err, secrets.ErrName):
			return "", err
		case err != nil:
			return "", fmt.Errorf("the secret %s cannot be had: %w", name, cause(err))
		}
		return text, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("the file %s cannot be read: %w", path, errors.Unwrap(err))
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	text := strings.TrimRight(string(b), " \t\r\n")
	switch {
	case err != nil:
		return "", fmt.Errorf("the file %s cannot be read: %w", path, errors.Unwrap(err))
	case len(b) > maxSecret:
		return "", fmt.Errorf("the file %s is too large for a secret", path)
	case text == "":
		return "", fmt.Errorf("the file %s is empty", path)
	}
	return text, nil
}

// store is where ${secret:NAME} is looked up: beside the configuration file.
func (r reference) store() *secrets.Store { return secrets.In(filepath.Join(r.dir, "secrets")) }

// cause leaves a path out that the reader did not write.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// stored lists the secrets of the store that are referred to.
func (s Secret) stored() (names []string) {
	if s.get == nil || s.get().file != "" {
		return nil
	}
	for _, m := range referencePattern.FindAllStringSubmatch(s.get().text, -1) {
		if m[1] == "secret" {
			names = append(names, m[2])
		}
	}
	return names
}

// Origin tells a person where the secret comes from: "file /etc/x, env Y".
// It is "" when it stands in the text itself.
func (s Secret) Origin() string {
	if s.get == nil {
		return ""
	}
	if s.get().file != "" {
		return "file " + s.get().file
	}
	var from []string
	for _, m := range referencePattern.FindAllStringSubmatch(s.get().text, -1) {
		name := m[2]
		if m[1] == "file" && !filepath.IsAbs(name) {
			name = filepath.Join(s.get().dir, name)
		}
		from = append(from, m[1]+" "+name)
	}
	return strings.Join(from, ", ")
}

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// String returns "[secret]", or "" for none.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// MarshalText makes encoders, and loggers that use them, write "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *Secret) parse(text string) error {
	*s = secretOf(reference{text: text})
	return nil
}

func (*Secret) expected() string { return "${secret:NAME}, ${file:PATH} or ${env:NAME}" }

// literal reports whether the secret is written out, without a reference.
func (s Secret) literal() bool {
	return s.get != nil && s.get().file == "" && !referencePattern.MatchString(s.get().text)
}
