package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"tidemark/cloud/traffic/recording"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// Bounds of the tries of one request.
const (
	firstWait    = 200 * time.Millisecond
	longestWait  = 20 * time.Second
	longestFloor = time.Minute // of Retry-After that is believed
	tryTime      = 10 * time.Minute
)

// A target is the installation that requests go to.
type target struct {
	base    *url.URL
	client  *http.Client
	keys    map[string]string
	retries atomic.Int64
}

// An outcome is one answer.
type outcome struct {
	status int
	took   time.Duration // of the try that was answered
}

// changes are the endpoints whose requests what follows depends on.
var changes = map[string]bool{"POST rows": true, "DELETE rows": true, "PUT schema": true}

// send sends a request until it is answered. A question that is not taken now
// has its answer with that; a change is sent again until it is taken.
func (t *target) send(ctx context.Context, e *recording.Entry) (outcome, error) {
	waits := backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstWait), backoff.WithMaxInterval(longestWait),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0), backoff.WithMaxElapsedTime(0))
	for {
		begun := time.Now()
		status, floor, err := t.try(ctx, e)
		if err == nil && !(refused(status) && changes[e.Endpoint]) {
			return outcome{status, time.Since(begun)}, nil
		}
		if ctx.Err() != nil {
			return outcome{}, context.Cause(ctx)
		}
		t.retries.Add(1)
		wait := time.NewTimer(floor + time.Duration(rand.Float64()*float64(waits.NextBackOff())))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return outcome{}, errors.Join(context.Cause(ctx), err)
		}
	}
}

func (t *target) try(ctx context.Context, e *recording.Entry) (status int, floor time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	r, err := t.request(ctx, e.Method, e.URI, e.Customer, e.Body)
	if err != nil {
		return 0, 0, err
	}
	for name, value := range e.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set(wire.HeaderRequestID, e.ID)
	a, err := t.client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer a.Body.Close()
	if _, err := io.Copy(io.Discard, a.Body); err != nil {
		return 0, 0, err
	}
	if n, err := strconv.ParseUint(a.Header.Get("Retry-After"), 10, 31); err == nil {
		floor = min(time.Duration(n)*time.Second, longestFloor)
	}
	return a.StatusCode, floor, nil
}

func (t *target) request(ctx context.Context, method, uri, customer string, body []byte) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(t.base.String(), "/")+uri, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if key := t.keys[customer]; key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return r, nil
}

// versions asks for the versions of a customer's tables.
func (t *target) versions(ctx context.Context, customer string) (wire.Versions, error) {
	op := "ask the target for the versions of " + customer
	r, err := t.request(ctx, http.MethodGet, "/v1/customers/"+customer+"/versions", customer, nil)
	if err != nil {
		return wire.Versions{}, fault.New(op, err, "")
	}
	a, err := t.client.Do(r)
	if err != nil {
		return wire.Versions{}, fault.New(op, err, "Check --to: is the target running?")
	}
	defer a.Body.Close()
	var v wire.Versions
	switch {
	case a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusForbidden:
		return v, fault.New(op, fmt.Errorf("it answers %s", a.Status), "Make keys in the copy: tidemark-cloud customers keys > keys, and name the file with --keys.")
	case a.StatusCode != http.StatusOK:
		return v, fault.New(op, fmt.Errorf("it answers %s", a.Status), "")
	}
	return v, fault.New(op, json.NewDecoder(io.LimitReader(a.Body, 64<<20)).Decode(&v), "")
}

// check refuses a target that is the recorded installation, and tells the
// tables that cannot be replayed because the copy is older than the recording.
func (t *target) check(ctx context.Context, s *survey) (late map[lane]string, err error) {
	if s.hosts[t.base.Host] {
		return nil, fault.New("look at the target", fmt.Errorf("%s is the installation that was recorded: its clients named this host", t.base.Host),
			"Replay to another installation, with a copy of the database.")
	}
	late = map[lane]string{}
	for customer := range s.customers {
		v, err := t.versions(ctx, customer)
		if err != nil {
			return nil, err
		}
		for l, begins := range s.begins {
			if l.customer != customer {
				continue
			}
			switch has := v.Tables[l.table].Seq; {
			case has >= begins:
				return nil, fault.New("look at the target", fmt.Errorf("%s of %s is at batch %d there, and the recording begins with %d", l.table, l.customer, has, begins),
					"It is the recorded installation, or its copy was made after the recording had begun. Begin with a copy from before.")
			case has+1 < begins:
				late[l] = fmt.Sprintf("the copy is at batch %d, the recording begins with %d", has, begins)
			}
		}
	}
	return late, nil
}
