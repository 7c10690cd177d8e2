package main

import (
	"crypto/rand"
	"os"

	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/rollout"
)

// newWatcher makes the watcher of rollouts, without its figures yet. Its name
// is this process' alone: a restarted one is another.
func newWatcher(store cloud.Store, pace rollout.Pace, log *zap.Logger) *rollout.Watcher {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &rollout.Watcher{Store: &cloud.Board{Store: store}, Instance: host + "-" + rand.Text()[:6], Pace: pace, Log: log}
}
