package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Roles of the program when it starts itself: the stand-in and the drain have
// processes of their own, so that their time and memory are not counted as
// the agent's.
const (
	roleSource = "source"
	roleDrain  = "drain"
	roleKeys   = "keys"
)

// A source is the running stand-in, seen from the bench.
type source struct {
	dsn     string
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

func startSource(ctx context.Context) (*source, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &source{cmd: exec.CommandContext(ctx, self, roleSource)}
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.answers = json.NewDecoder(bufio.NewReader(out))
	return s, s.answer(&s.dsn)
}

func (s *source) answer(v any) error {
	if err := s.answers.Decode(v); err != nil {
		return fmt.Errorf("the source does not answer: %w", err)
	}
	return nil
}

// ask sends one order and waits until it is carried out.
func (s *source) ask(o order) (done, error) {
	var d done
	if err := json.NewEncoder(s.in).Encode(o); err != nil {
		return d, err
	}
	if err := s.answer(&d); err != nil {
		return d, err
	}
	if d.Error != "" {
		return d, errors.New("source: " + d.Error)
	}
	return d, nil
}

// create makes a table of n rows.
func (s *source) create(table string, n int) error {
	_, err := s.ask(order{Create: table, Rows: n})
	return err
}

func (s *source) exec(sql string) error {
	_, err := s.ask(order{Exec: sql})
	return err
}

// statements returns the requests since the last call, as they came.
func (s *source) statements() ([]string, error) {
	d, err := s.ask(order{Statements: true})
	return d.Statements, err
}

func (s *source) stop() error {
	err := s.in.Close() // the end of its orders is the end of it
	return errors.Join(err, s.cmd.Wait())
}
