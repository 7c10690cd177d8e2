package main

import (
	"context"
	"fmt"
	"strings"
)

// Of the registry.
const (
	serviceKey = `HKLM\System\CurrentControlSet\Services\tidemark`
	sourceKey  = `HKLM\System\CurrentControlSet\Services\EventLog\Application\tidemark`
)

// registered holds the registration against what it should be.
func (w *windows) registered(ctx context.Context, program, account string) error {
	key, err := w.wine(ctx, "", "reg", "query", serviceKey)
	if err != nil {
		return err
	}
	for _, want := range []string{`"` + program + `" run --config ` + settings, account} {
		if !strings.Contains(strings.ToLower(key), strings.ToLower(want)) {
			return fmt.Errorf("no %s in\n%s", want, key)
		}
	}
	_, err = w.wine(ctx, "", "reg", "query", sourceKey)
	return err
}

// unregistered holds that nothing is left of the registration.
func (w *windows) unregistered(ctx context.Context) error {
	for _, key := range []string{serviceKey, sourceKey} {
		if out, err := w.wine(ctx, "", "reg", "query", key); !exited(err, 1) {
			return fmt.Errorf("asking for %s ended with: %w\n%s", key, err, out)
		}
	}
	return nil
}
