package main

import (
	"bytes"
	"strings"
	"testing"

	"tidemark/agent"
)

// TestHeadline holds that nothing is well when nobody looks after it.
func TestHeadline(t *testing.T) {
	ill, well := toldStatus["ill"], toldStatus["well"]
	dead := func(s agent.Status) agent.Status {
		s.Live, s.Healthy, s.Started = false, false, nil
		return s
	}
	paused := dead(well())
	paused.Paused = &agent.Pause{Since: now, By: "command"}
	noted := well()
	noted.Notes = []string{"a file was set aside"}
	const hint = "\n  hint: start it with `tidemark service start`, or run one cycle with `tidemark once`\n"
	for name, c := range map[string]struct {
		s    agent.Status
		want string
	}{
		"well":         {well(), "acme: all is well, up for 2d 2h\n\nTABLE"},
		"noted":        {noted, "acme: all is well, up for 2d 2h\n\nnote: a file was set aside\n\nTABLE"},
		"dead":         {dead(well()), "acme: the service is not running; no problem was known when it last ran" + hint},
		"dead, paused": {paused, "acme: the service is not running; no problem was known when it last ran" + hint + "\npaused: everything"},
		"dead, ill":    {dead(ill()), "acme: the service is not running; 2 problems when it last ran" + hint + "\nsource main: "},
	} {
		var b bytes.Buffer
		if err := printStatus(&b, c.s, false); err != nil || !strings.HasPrefix(b.String(), c.want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, b.String(), c.want)
		}
	}
}
