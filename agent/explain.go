package agent

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"tidemark/agent/journal"
	"tidemark/internal/fault"
	"tidemark/scheduler"
)

// explained is how many entries an explanation is made from.
const explained = 6

// explain makes the last decision again from its input.
func explain(table string, entries []journal.Entry) (Explanation, error) {
	e := Explanation{Table: table}
	if len(entries) == 0 {
		return e, nil
	}
	e.Entry, e.Before = &entries[0], entries[1:]
	if len(e.Entry.Input) == 0 {
		return e, nil
	}
	in, err := inputOf(*e.Entry)
	if err != nil {
		return e, fault.New("explain "+table, err, "")
	}
	d := scheduler.Decide(in)
	e.Replay, e.Same = d.Reason, string(d.Action) == e.Entry.Action && d.Rule == e.Entry.Rule && d.Reason == e.Entry.Reason
	e.Facts = facts(in)
	return e, nil
}

// Replay makes the decision of an entry again from what it was made from.
func Replay(e journal.Entry) (scheduler.Decision, error) {
	in, err := inputOf(e)
	return scheduler.Decide(in), err
}

func inputOf(e journal.Entry) (in scheduler.Input, err error) {
	if err := json.Unmarshal(e.Input, &in); err != nil {
		return in, fmt.Errorf("the journal's input, written by another version perhaps: %w", err)
	}
	return in, nil
}

// facts writes an input for people, leaving out what is not known.
func facts(in scheduler.Input) []Fact {
	var all []Fact
	add := func(name, value string) { all = append(all, Fact{name, value}) }
	add("time", in.Now.UTC().Format(time.RFC3339))
	if in.Disabled != "" {
		add("off", in.Disabled)
	}
	if in.Asked != "" {
		add("asked for", string(in.Asked))
	}
	add("evaluations since the last sync", strconv.Itoa(in.State.SinceSync))
	if n := in.Limits.ForcedSkips; n > 0 {
		add("skipped without a look after each", strconv.Itoa(n))
	}
	add("skips in a row", fmt.Sprintf("%d of %d allowed", in.State.Skips, in.Limits.MaxSkips))
	if in.State.Open {
		add("the last work", "did not end well")
	}
	if in.State.Owed {
		add("owed", "the diff behind a new epoch")
	}
	if v := in.State.Synced; v != (scheduler.Version{}) {
		add("last synced at", version(v))
	}
	if in.Local != nil {
		add("source", version(*in.Local))
		add("ceiling", strconv.FormatUint(in.Ceiling, 10))
	}
	if in.Unsettled {
		add("open transactions", "yes")
	}
	if in.Count != nil {
		add("exact count", fmt.Sprintf("%d rows; the cheap figure was %d", in.Count.Rows, in.Count.Cheap))
	}
	if c := in.Cloud; c != nil {
		text := fmt.Sprintf("epoch %q, watermark %d, %d rows", c.Epoch, c.Watermark, c.Rows)
		if !c.Loaded {
			text += ", load not complete"
		}
		switch {
		case c.Leased:
			text += " (as last answered, and the cloud would have told)"
		case c.Remembered:
			text += " (as last answered)"
		}
		add("cloud", text)
	}
	if in.Gap != 0 {
		add("rows in quarantine that the cloud lacks", strconv.FormatInt(in.Gap, 10))
	}
	if in.Resting != "" {
		add("no count or diff", in.Resting)
	}
	if !in.State.Verified.IsZero() {
		add("last comparison", in.State.Verified.UTC().Format(time.RFC3339))
	}
	return all
}

func version(v scheduler.Version) string {
	rows := "unknown rows"
	if v.Rows >= 0 {
		rows = fmt.Sprintf("%d rows", v.Rows)
	}
	return fmt.Sprintf("epoch %q, row version %d, %s", v.Epoch, v.High, rows)
}
