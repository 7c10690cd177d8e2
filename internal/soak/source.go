//go:build linux

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
	"sync"
)

// A source is the source's process, seen from the soak.
type source struct {
	addr string
	cmd  *exec.Cmd
	in   io.WriteCloser

	mu      sync.Mutex // one order at a time
	answers *json.Decoder
}

// startSource starts it behind wrap, which is the namespace of the site.
func startSource(ctx context.Context, wrap []string, scale float64) (s *source, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s = &source{cmd: command(ctx, append(wrap[:len(wrap):len(wrap)], self, roleSource)...)}
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
	d, err := s.ask(order{Scale: scale})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.addr = d.Addr
	return s, nil
}

// ask sends one order and waits until it is carried out.
func (s *source) ask(o order) (done, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var d done
	if err := json.NewEncoder(s.in).Encode(o); err != nil {
		return d, err
	}
	if err := s.answers.Decode(&d); err != nil {
		return d, fmt.Errorf("the source does not answer: %w", err)
	}
	if d.Error != "" {
		return d, errors.New("source: " + d.Error)
	}
	return d, nil
}

// take is what is new in the writers' ledger.
func (s *source) take() (page, error) {
	d, err := s.ask(order{Take: true})
	return d.Page, err
}

// close ends its orders, which is the end of it.
func (s *source) close() error { return errors.Join(s.in.Close(), s.cmd.Wait()) }
