package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// A prompt asks a person at a terminal.
type prompt struct {
	in  *os.File
	out io.Writer
}

// newPrompt returns nil where nobody can be asked.
func newPrompt(in io.Reader, out io.Writer) *prompt {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &prompt{in: f, out: out}
}

// ask asks for a line; an empty one means def.
func (p *prompt) ask(ctx context.Context, question, def string) (string, error) {
	if def != "" {
		question += " [" + def + "]"
	}
	text, err := p.read(ctx, question+": ", p.line)
	if text = strings.TrimSpace(text); text == "" {
		text = def
	}
	return text, err
}

// yes asks a question that Enter alone answers with no.
func (p *prompt) yes(ctx context.Context, question string) (bool, error) {
	text, err := p.ask(ctx, question+" [y/N]", "")
	return strings.HasPrefix(strings.ToLower(text), "y"), err
}

// secret asks for what is not shown.
func (p *prompt) secret(ctx context.Context, question string) (string, error) {
	text, err := p.read(ctx, question+": ", func() (string, error) {
		b, err := term.ReadPassword(int(p.in.Fd()))
		return string(b), err
	})
	_, _ = fmt.Fprintln(p.out)
	return text, err
}

// read reads until ctx ends, which a read of a terminal knows nothing of: it
// is left behind then, and the terminal is put right. The program ends.
func (p *prompt) read(ctx context.Context, question string, read func() (string, error)) (string, error) {
	if _, err := io.WriteString(p.out, question); err != nil {
		return "", err
	}
	before, err := term.GetState(int(p.in.Fd()))
	if err != nil {
		return "", err
	}
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, io.EOF) {
			a.err = io.ErrUnexpectedEOF
		}
		return a.text, a.err
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(int(p.in.Fd()), before))
	}
}

// line reads up to the line's end and nothing behind it: that may be the
// answer to what is asked next.
func (p *prompt) line() (string, error) {
	var text []byte
	for b := make([]byte, 1); ; {
		n, err := p.in.Read(b)
		if n == 1 && b[0] == '\n' {
			return string(bytes.TrimSuffix(text, []byte("\r"))), nil
		}
		text = append(text, b[:n]...)
		if err != nil {
			return string(text), err
		}
	}
}
