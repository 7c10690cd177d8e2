package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// impossible is the exit code for a machine on which no other can be booted
// (EX_TEMPFAIL of sysexits.h). Nothing of the product has run by then.
const impossible = 75

var errImpossible = errors.New("a Debian cannot be booted here")

// mirror is where Debian is fetched from.
const mirror = "http://deb.debian.org/debian"

// possible boots a Debian with nothing of the product on it.
func possible(ctx context.Context) (err error) {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: this is not root", errImpossible)
	}
	base, err := bootstrap(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tidemark-installtest-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	m, err := boot(ctx, base, dir)
	if err != nil {
		return fmt.Errorf("%w: %w", errImpossible, err)
	}
	return m.halt()
}

// mirrored tells whether the mirror answers.
func mirrored(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, mirror+"/dists/"+suite+"/Release", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%w: the mirror does not answer: %w", errImpossible, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: the mirror %s answers %s", errImpossible, mirror, answer.Status)
	}
	return nil
}
