package cost

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Volume is what a cloud volume allows, as those with burst credits do: a
// credit is one operation, they are earned at the baseline and spent by what
// is used, and when there are none left the baseline is all there is.
type Volume struct {
	Baseline float64 // operations a second
	Burst    float64 // operations a second while there are credits
	Credits  float64 // operations above the baseline that a full balance holds
}

// gp2 is the General Purpose SSD volume of Amazon EBS ("Amazon EBS volume
// types", gp2): 3 operations a second for each GiB, from 100 to 16,000; bursts
// to 3,000 on a balance of 5.4 million, with which a new volume begins. From
// 1,000 GiB on the baseline is above the burst.
func gp2(gib float64) Volume {
	v := Volume{Baseline: min(max(3*gib, 100), 16000), Burst: 3000, Credits: 5.4e6}
	if v.Baseline >= v.Burst {
		v.Burst, v.Credits = v.Baseline, 0
	}
	return v
}

var errVolume = errors.New("it is neither gp2:GIB nor BASELINE/BURST/CREDITS")

// ParseVolume reads "gp2:500", a volume of 500 GiB, or
// "1500/3000/5400000": baseline and burst in operations a second, and the
// credits of a full balance.
func ParseVolume(s string) (Volume, error) {
	if size, ok := strings.CutPrefix(s, "gp2:"); ok {
		gib, err := number(strings.TrimSuffix(size, "GiB"))
		if err != nil || gib == 0 {
			return Volume{}, fmt.Errorf("%q: %w", s, errVolume)
		}
		return gp2(gib), nil
	}
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return Volume{}, fmt.Errorf("%q: %w", s, errVolume)
	}
	var v Volume
	for i, into := range []*float64{&v.Baseline, &v.Burst, &v.Credits} {
		n, err := number(parts[i])
		if err != nil {
			return Volume{}, fmt.Errorf("%q: %w", s, errVolume)
		}
		*into = n
	}
	if v.Baseline == 0 || v.Burst < v.Baseline {
		return Volume{}, fmt.Errorf("%q: the baseline is above 0 and at most the burst", s)
	}
	return v, nil
}

// number is a whole one that a volume can have.
func number(s string) (float64, error) {
	n, err := strconv.ParseUint(s, 10, 40)
	return float64(n), err
}

// A Balance is the model of what is left of a volume's burst. It counts every
// read and write of the database as an operation of the volume; those that
// the system's cache answers, or that it makes one of, make the true balance
// better than this one.
type Balance struct {
	Volume
	Left float64 // credits

	rate  float64 // operations a second, smoothed
	known bool
}

// smoothing is how long a rate is remembered: a burst of a minute is no trend.
const smoothing = 5 * time.Minute

// NewBalance returns a full balance, which is what a new volume has.
func NewBalance(v Volume) *Balance { return &Balance{Volume: v, Left: v.Credits} }

// Spend counts operations in a time. A volume takes no more than its burst.
func (b *Balance) Spend(operations float64, in time.Duration) {
	seconds := in.Seconds()
	if seconds <= 0 || operations < 0 {
		return
	}
	rate := min(operations/seconds, b.Burst)
	b.Left = min(max(b.Left+(b.Baseline-rate)*seconds, 0), b.Credits)
	if !b.known {
		b.rate, b.known = rate, true
		return
	}
	// The first order filter of a step that was constant for as long as it took.
	w := seconds / (seconds + smoothing.Seconds())
	b.rate += w * (rate - b.rate)
}

// Rate is the smoothed rate of operations a second.
func (b *Balance) Rate() float64 { return b.rate }

// Empty estimates when the balance runs out if things go on as they do; not ok
// when they do not take it there.
func (b *Balance) Empty() (in time.Duration, ok bool) {
	over := b.rate - b.Baseline
	switch {
	case b.Credits == 0 || over <= 0:
		return 0, false
	case b.Left == 0:
		return 0, true
	}
	seconds := b.Left / over
	if seconds > longest.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// longest is how far ahead an estimate is worth anything.
const longest = 30 * 24 * time.Hour

// Recall returns the balance where the records of the last hours leave it. It
// begins full.
func Recall(ctx context.Context, s Store, v Volume, now time.Time) (*Balance, error) {
	b, _, err := recall(ctx, s, v, now)
	return b, err
}

// recall returns the last counters, too; nil when there are none.
func recall(ctx context.Context, s Store, v Volume, now time.Time) (*Balance, *Counters, error) {
	b := NewBalance(v)
	records, err := s.Costs(ctx, Minute, now.Add(-KeepMinutes), now, true)
	var counted []*Counters
	for _, r := range records {
		if r.Counters != nil {
			counted = append(counted, r.Counters)
		}
	}
	b.Replay(counted)
	if len(counted) == 0 {
		return b, nil, err
	}
	return b, counted[len(counted)-1], err
}

// Replay counts what counters tell, in order: what was done between two as
// evenly spread.
func (b *Balance) Replay(c []*Counters) {
	for i := 1; i < len(c); i++ {
		d := c[i].Since(c[i-1])
		b.Spend(float64(d.Reads+d.Writes), c[i].At.Sub(c[i-1].At))
	}
}
