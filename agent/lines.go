package agent

import (
	"bytes"
	"slices"
	"strconv"

	"tidemark/agent/state"
	"tidemark/internal/wire"
)

// rowVersion reads the row version at the head of a row line, ["2001",...
func rowVersion(line []byte) (uint64, bool) {
	if len(line) < 4 || line[0] != '[' || line[1] != '"' {
		return 0, false
	}
	end := bytes.IndexByte(line[2:], '"')
	if end < 0 {
		return 0, false
	}
	rv, err := strconv.ParseUint(string(line[2:2+end]), 10, 64)
	return rv, err == nil
}

// A keyer takes the key, a JSON array, out of row lines. What it returns is
// valid until its next call.
type keyer struct {
	at   []int // positions of the key's columns among the columns
	raws [][]byte
	text []byte
}

func newKeyer(s wire.Schema) *keyer { return &keyer{at: s.KeyIndexes()} }

func (k *keyer) key(line []byte) ([]byte, error) {
	var err error
	if k.raws, err = wire.SplitRow(line, k.raws); err != nil {
		return nil, err
	}
	k.text = append(k.text[:0], '[')
	for i, at := range k.at {
		if i > 0 {
			k.text = append(k.text, ',')
		}
		k.text = append(k.text, k.raws[at+1]...)
	}
	k.text = append(k.text, ']')
	return k.text, nil
}

// eachLine calls fn with every line of buf and its index.
func eachLine(buf []byte, fn func(i int, line []byte) error) error {
	for i := 0; len(buf) > 0; i++ {
		line, rest, _ := bytes.Cut(buf, []byte{'\n'})
		if err := fn(i, line); err != nil {
			return err
		}
		buf = rest
	}
	return nil
}

// newest returns the sentinels with those of lines that are newer, newest
// first, at most maxSentinels.
func newest(sentinels []state.Sentinel, lines wire.Lines, k *keyer) ([]state.Sentinel, error) {
	type candidate struct {
		rv   uint64
		line []byte
	}
	var best []candidate // newest first
	_ = eachLine(lines.Buf, func(_ int, line []byte) error {
		rv, ok := rowVersion(line)
		if !ok || len(best) == maxSentinels && rv <= best[maxSentinels-1].rv {
			return nil
		}
		at, _ := slices.BinarySearchFunc(best, rv, func(c candidate, rv uint64) int {
			if c.rv > rv {
				return -1
			}
			return 1
		})
		best = slices.Insert(best, at, candidate{rv, line})
		best = best[:min(len(best), maxSentinels)]
		return nil
	})
	all := slices.Clone(sentinels)
	for _, c := range best {
		key, err := k.key(c.line)
		if err != nil {
			return sentinels, err
		}
		s := state.Sentinel{Key: string(key), Version: c.rv}
		if at := slices.IndexFunc(all, func(o state.Sentinel) bool { return o.Key == s.Key }); at >= 0 {
			all[at].Version = max(all[at].Version, s.Version)
			continue
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b state.Sentinel) int {
		switch {
		case a.Version > b.Version:
			return -1
		case a.Version < b.Version:
			return 1
		}
		return 0
	})
	return all[:min(len(all), maxSentinels)], nil
}

// half is the index behind the first half of n lines of buf.
func half(buf []byte, n int) int {
	at := 0
	for range n / 2 {
		at += bytes.IndexByte(buf[at:], '\n') + 1
	}
	return at
}
