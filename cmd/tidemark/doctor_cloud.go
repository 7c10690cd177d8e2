package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tidemark/agent/config"
	"tidemark/internal/fault"
)

// patience is how long doctor waits for one thing to answer.
const patience = 20 * time.Second

func failed(what string, err error) finding {
	return finding{What: what, Verdict: wrong, Message: err.Error(), Hint: fault.Hint(err)}
}

func examineCloud(ctx context.Context, c *config.Config) finding {
	const what = "cloud"
	client, err := openCloud(c)
	if err != nil {
		return failed(what, err)
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	versions, err := client.Versions(ctx)
	if err != nil {
		// The client tries until the end: the last failure says more than that.
		return failed(what, cmp.Or(client.State().Err, err))
	}
	return finding{What: what, Verdict: good, Message: fmt.Sprintf("%s answers, the key opens customer %s, %s there",
		c.Cloud.URL, c.Customer, plural(int64(len(versions.Tables)), "table"))}
}
