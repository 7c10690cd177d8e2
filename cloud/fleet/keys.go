package fleet

import (
	"context"
	"sync"
	"time"

	"tidemark/cloud"
)

// How long a page goes by the operators' keys that it read; a key that it does
// not know makes it look again, at most once a second.
const (
	freshKeys   = 15 * time.Second
	recheckKeys = time.Second
	keysWithin  = 5 * time.Second
)

// keys are those of all operators, read by one request at a time.
type keys struct {
	store interface {
		OperatorKeys(ctx context.Context) ([]cloud.OperatorKey, error)
	}

	mu     sync.Mutex
	all    []cloud.OperatorKey
	read   time.Time
	err    error // of the last try, if that failed
	failed time.Time
}

func (k *keys) get(ctx context.Context, now time.Time, age time.Duration) ([]cloud.OperatorKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.read.IsZero() && now.Sub(k.read).Abs() <= age {
		return k.all, nil
	}
	// Who waited behind a try that failed must not try for as long again.
	if k.err != nil && now.Sub(k.failed).Abs() <= keysWithin {
		return nil, k.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysWithin)
	defer cancel()
	all, err := k.store.OperatorKeys(ctx)
	if k.err = err; err != nil {
		k.failed = now
		return nil, err
	}
	k.all, k.read = all, now
	return all, nil
}

// find returns the key that a secret is.
func (k *keys) find(ctx context.Context, secret string, now time.Time) (cloud.OperatorKey, bool, error) {
	for _, age := range []time.Duration{freshKeys, recheckKeys} {
		all, err := k.get(ctx, now, age)
		if err != nil {
			return cloud.OperatorKey{}, false, err
		}
		if key, ok := cloud.OperatorOf(secret, all, now); ok {
			return key, true, nil
		}
	}
	return cloud.OperatorKey{}, false, nil
}
