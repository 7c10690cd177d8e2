package differ

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strconv"

	"tidemark/internal/wire"
)

// ByManifest compares source and cloud by manifests and repairs what differs;
// see the package's documentation. On an error the report tells what was done
// until then; what was not found or done is found by the next diff.
func ByManifest(ctx context.Context, o Options, src Source, cloud Cloud) (Report, error) {
	o = o.withDefaults()
	d := &diff{src: src, cloud: cloud, keys: keyReader{types: o.Types}}
	d.repairs = repairs{o: o, src: src, cloud: cloud, r: &d.r}
	if err := d.compare(ctx); err != nil {
		return d.r, fmt.Errorf("compare: %w", err)
	}
	if d.r.Surplus <= 0 {
		return d.r, nil
	}
	if err := d.surplus(ctx); err != nil {
		return d.r, fmt.Errorf("surplus: %w", err)
	}
	return d.r, nil
}

type diff struct {
	repairs
	src   Source
	cloud Cloud
	r     Report
	seen  *filter
	held  int64 // keys of the source that the cloud was seen to hold, in whatever version
	keys  keyReader
}

// compare is the first phase: the source's manifest goes up.
func (d *diff) compare(ctx context.Context) error {
	var chunk wire.Lines
	differing := &texts{} // keys of missing and stale lines, which of the two in front
	for after, done, first := "", false, true; !done; first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk.Reset()
		var err error
		if after, done, err = d.src.Keys(ctx, after, &chunk); err != nil {
			return err
		}
		if chunk.N == 0 && !first { // an empty table must ask too, to learn the cloud's rows
			continue
		}
		answer, err := d.cloud.Compare(ctx, chunk)
		if err != nil {
			return err
		}
		if first {
			d.begin(answer.Version)
		}
		d.r.Version = answer.Version
		if err := d.chunk(chunk, answer, differing); err != nil {
			return err
		}
		if differing.len() >= d.o.Slice {
			if err := d.repair(ctx, differing); err != nil {
				return err
			}
		}
		d.o.Progress(d.r)
	}
	d.r.Surplus = max(0, d.r.Cloud-d.held)
	return d.repair(ctx, differing)
}

const (
	isMissing = 'm'
	isStale   = 's'
)

// begin sizes the filter once the cloud's row count is known.
func (d *diff) begin(v wire.Version) {
	var seed [16]byte
	_, _ = rand.Read(seed[:]) // never fails (package documentation)
	d.r.Cloud = v.Rows
	d.seen = newFilter(max(d.o.Rows, v.Rows), d.o.FilterBytes,
		binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:]))
}

// chunk takes one chunk's keys into the filter and collects those that
// differ.
func (d *diff) chunk(chunk wire.Lines, answer wire.Comparison, differing *texts) error {
	missing, stale := answer.Missing, answer.Stale
	err := each(chunk, func(i int, line []byte) error {
		rv, key, err := d.keys.read(line)
		if err != nil {
			return err
		}
		d.seen.add(key)
		d.r.Compared++
		count, kind := &d.r.Missing, byte(isMissing)
		switch {
		case len(missing) > 0 && missing[0] == i:
			missing = missing[1:]
		case len(stale) > 0 && stale[0] == i:
			stale, count, kind = stale[1:], &d.r.Stale, isStale
			d.held++
		default:
			d.r.Matched++
			d.held++
			return nil
		}
		version, err := strconv.ParseUint(string(rv), 10, 64)
		if err != nil {
			return err
		}
		if version > d.o.Watermark {
			d.r.Later++
			return nil
		}
		*count++
		differing.add(kind, d.keys.json())
		return nil
	})
	if err == nil && len(missing)+len(stale) > 0 {
		return fmt.Errorf("the cloud's answer names %d lines that were not sent, or not in order", len(missing)+len(stale))
	}
	return err
}
