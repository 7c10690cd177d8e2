package differ

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"tidemark/differ/summary"
)

// ByTree compares source and cloud by summaries and repairs what differs; see
// the package's documentation. Where that is not possible or not worth it, it
// goes on by manifests. On an error the report tells what was done until then.
func ByTree(ctx context.Context, o TreeOptions, src Source, cloud TreeCloud) (TreeReport, error) {
	o = o.withDefaults()
	var t *tree
	var done Report
	for tries := 0; ; tries++ {
		t = newTree(o, src, cloud, done)
		err := t.run(ctx)
		switch {
		case errors.Is(err, summary.ErrLayout) && tries < 2: // another layout was made meanwhile
		case errors.Is(err, errWider):
			o.Width = summary.MaxWidth
		case errors.Is(err, ErrNoTree), errors.Is(err, errManifest):
			return t.byManifest(ctx, err)
		case err != nil:
			return t.r, fmt.Errorf("compare summaries: %w", err)
		default:
			return t.r, nil
		}
		o.Resume = ""
		done = t.done()
	}
}

var (
	// errManifest ends a comparison of summaries that manifests do better.
	errManifest = errors.New("manifests do better")
	// errWider begins again with whole sums: what was found does not account
	// for the cloud's root. Two sums may be the same in what is left of them.
	errWider = errors.New("cut sums hide a difference")
)

// tree is one run.
type tree struct {
	repairs
	o     TreeOptions
	src   *ahead
	cloud TreeCloud
	r     TreeReport

	sum    *summary.Tree
	bucket *summary.Bucketer
	hash   *summary.Hasher
	epoch  int64
	keys   keyReader // of the source's lines
	theirs keyReader // of the cloud's lines

	rows      rowBuffer
	differing texts // keys of missing and stale rows, which of the two in front
	surplus   surplus
	wanted    map[summary.Leaf]bool // differing leaves whose rows must be read again

	// accounted is the sum of what was found equal, and of the cloud's whole
	// cells of what was not: the cloud's root, if nothing hid.
	accounted summary.Cell
	resumed   bool // nodes compared in an earlier run may have changed since
}

func newTree(o TreeOptions, src Source, cloud TreeCloud, done Report) *tree {
	t := &tree{o: o, cloud: cloud, keys: keyReader{types: o.Types}, theirs: keyReader{types: o.Types}}
	t.src = &ahead{Source: src, on: o.Ahead}
	t.repairs = repairs{o: o.Options, src: t.src, cloud: cloud, r: &t.r.Report}
	t.r.Report = done
	t.surplus.bound = o.HoldBytes
	return t
}

func (t *tree) run(ctx context.Context) error {
	sum, err := t.cloud.Tree(ctx, t.o.Width)
	if err != nil {
		return err
	}
	if err := t.begin(sum); err != nil {
		return err
	}
	if sum.Layout.Kind == summary.Ordered {
		err = t.stream(ctx)
	} else {
		err = t.gather(ctx)
	}
	if errors.Is(err, errOrder) {
		t.reset()
		err = t.gather(ctx)
	}
	if err != nil {
		return err
	}
	if err := t.listWanted(ctx); err != nil {
		return err
	}
	if t.accounted != t.r.Before && !t.resumed && t.o.Width < summary.MaxWidth {
		return errWider
	}
	return t.end(ctx)
}

// begin takes the cloud's summary.
func (t *tree) begin(sum *summary.Tree) error {
	b, err := summary.NewBucketer(sum.Layout, t.o.Types, t.o.Secret)
	if err != nil {
		return err
	}
	t.sum, t.bucket, t.epoch = sum, b, sum.Layout.Epoch
	t.hash = summary.NewHasher(t.o.Secret, sum.Layout.Number)
	t.hash.Weaken(t.o.weak)
	t.r.Layout, t.r.Before, t.r.After, t.r.Cloud = sum.Layout, sum.Root, sum.Root, sum.Root.Count
	return nil
}

// reset forgets what was found; what was done stays.
func (t *tree) reset() {
	t.r = TreeReport{Report: t.done(), Layout: t.r.Layout, Before: t.r.Before, After: t.r.After, Passes: t.r.Passes}
	t.r.Cloud = t.r.Before.Count
	t.rows.reset()
	t.differing.reset()
	t.wanted, t.accounted, t.resumed = nil, summary.Cell{}, false
	t.surplus = surplus{bound: t.surplus.bound}
}

// done is the part of the report that a comparison from the start does not
// find again.
func (t *tree) done() Report {
	return Report{Inserted: t.r.Inserted, Updated: t.r.Updated, Deleted: t.r.Deleted, Unneeded: t.r.Unneeded}
}

// byManifest goes on by manifests.
func (t *tree) byManifest(ctx context.Context, why error) (TreeReport, error) {
	t.r.Manifest = why.Error()
	done := t.done()
	// Manifests need memory of their own.
	t.sum, t.rows, t.differing, t.surplus, t.wanted = nil, rowBuffer{}, texts{}, surplus{}, nil
	r, err := ByManifest(ctx, t.o.Options, t.src.Source, t.cloud)
	r.Inserted, r.Updated = r.Inserted+done.Inserted, r.Updated+done.Updated
	r.Deleted, r.Unneeded = r.Deleted+done.Deleted, r.Unneeded+done.Unneeded
	t.r.Report = r
	return t.r, err
}

// sourceRow is one row as it is read. What it holds is valid until the next.
type sourceRow struct {
	leaf    summary.Leaf
	cell    summary.Cell // the zero Cell above the watermark
	version uint64
	line    []byte
}

// read streams the source's keys through row, from a cursor on, and calls
// chunk before each chunk with the cursor that it begins at.
func (t *tree) read(ctx context.Context, after string, chunk func(at string), row func(*sourceRow) error) error {
	t.r.Passes++
	defer t.src.stop()
	var s sourceRow
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		chunk(after)
		c, err := t.src.chunk(ctx, after)
		if err != nil {
			return err
		}
		after, done = c.next, c.done
		err = each(c.lines, func(_ int, line []byte) error {
			if err := t.parse(line, &s); err != nil {
				return err
			}
			return row(&s)
		})
		if err != nil {
			return err
		}
		t.o.Progress(t.r.Report)
	}
	return nil
}

// parse finds a line's leaf and cell.
func (t *tree) parse(line []byte, s *sourceRow) error {
	stamp, key, err := t.keys.read(line)
	if err != nil {
		return err
	}
	if s.version, err = parseVersion(stamp); err != nil {
		return err
	}
	if s.leaf, err = t.bucket.Leaf(key); err != nil {
		return err
	}
	s.line, s.cell = line, summary.Cell{}
	if s.version <= t.o.Watermark {
		s.cell = t.hash.Row(key, t.epoch, s.version)
	}
	return nil
}

// parseVersion reads a row version: strconv.ParseUint in a third of the time,
// for what comes with every row.
func parseVersion(s []byte) (uint64, error) {
	if len(s) == 0 || len(s) > 19 {
		return strconv.ParseUint(string(s), 10, 64)
	}
	n := uint64(0)
	for _, c := range s {
		if c < '0' || c > '9' {
			return strconv.ParseUint(string(s), 10, 64)
		}
		n = n*10 + uint64(c-'0')
	}
	return n, nil
}
