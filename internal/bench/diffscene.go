package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// A scene is a number of differences and where they are.
type scene struct {
	name      string
	keys      planted
	manifests bool // compare by them, too
}

// scenes of a table of n rows.
func scenes(n int) []scene {
	var all []scene
	for k := range kinds {
		s := scene{name: "1 " + k.String()}
		s.add(k, n/3)
		all = append(all, s)
	}
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same in every run
	for _, d := range []int{10, 1000, n / 10} {
		name := fmt.Sprint(d)
		if d == n/10 {
			name = "10 %"
		}
		scattered, clustered := scene{name: name + " scattered", manifests: d >= 1000}, scene{name: name + " in one range", manifests: d > 1000}
		for i := range d {
			each := n / d
			scattered.add(differenceKind(i%int(kinds)), i*each+r.IntN(each))
			clustered.add(differenceKind(i%int(kinds)), n/2+i)
		}
		all = append(all, scattered, clustered)
	}
	return all
}

// add makes the row at a place differ, or a new one behind it.
func (s *scene) add(k differenceKind, place int) {
	id := int64(2*place + 2)
	if k == surplus {
		id++
	}
	s.keys[k] = append(s.keys[k], id)
}

// manifests compares by manifests, without repairs.
func (s *diffSite) manifests(ctx context.Context, size *sizeReport, name string) error {
	s.front.without.Store(true)
	defer s.front.without.Store(false)
	c, err := s.compare(ctx, true)
	if err == nil && c.Manifest == "" {
		err = errors.New("it was not compared by manifests")
	}
	if err != nil {
		return err
	}
	size.add(name, "manifests", c)
	return nil
}

// scene plants differences, counts and repairs them.
func (s *diffSite) scene(ctx context.Context, size *sizeReport, sc scene) error {
	if err := s.plant(ctx, sc.keys); err != nil {
		return err
	}
	if err := s.vacuum(ctx); err != nil {
		return err
	}
	pages, leaves, err := s.pagesOf(ctx, sc.keys)
	if err != nil {
		return err
	}
	// This run also teaches the agent the number of the last batch, which was
	// not its own.
	dry, err := s.compare(ctx, true)
	if err != nil {
		return err
	}
	l := size.add(sc.name, wayOfDifferences, dry)
	l.pages, l.leaves = pages, leaves
	if sc.manifests {
		if err := s.manifests(ctx, size, sc.name); err != nil {
			return err
		}
	}
	c, err := s.compare(ctx, false)
	if err != nil {
		return err
	}
	size.add(sc.name, wayOfRepairs, c)
	found, done, manifest := [kinds]int64{c.Missing, c.Stale, c.Surplus}, c.Repaired+c.Deleted, c.Manifest != ""
	for tries := 0; c.Remaining && tries < 3; tries++ { // manifests find nearly all surplus rows
		if c, err = s.compare(ctx, false); err != nil {
			return err
		}
		done += c.Repaired + c.Deleted
	}
	want := sc.keys.counts()
	if done != want[missing]+want[stale]+want[surplus] || found != want && !manifest || c.Remaining {
		return fmt.Errorf("%v missing, stale and surplus rows were planted and %v found, %d repaired: %+v", want, found, done, c.DiffReport)
	}
	return nil
}
