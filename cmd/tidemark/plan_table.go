package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"tidemark/agent/config"
	"tidemark/internal/fault"
	"tidemark/internal/wire"
	"tidemark/sqlserver"
)

// A forecast is what is predicted of one table.
type forecast struct {
	Table string   `json:"table"`
	Will  string   `json:"next_cycle"` // "first load", "changes", ...
	Notes []string `json:"notes,omitempty"`
	Error string   `json:"error,omitempty"`
	Hint  string   `json:"hint,omitempty"`
	figures
}

func (f *forecast) fail(err error) { f.Error, f.Hint = err.Error(), fault.Hint(err) }

var (
	errNotThere     = errors.New("the table is not there, or the login cannot see it")
	errRefusedTable = errors.New("the table cannot be synced")
)

// A forecaster predicts what a cycle does with one table.
type forecaster struct {
	source   *sqlserver.Source
	table    config.Table
	version  wire.Version // of the cloud
	restored bool         // the cloud's rows are of another epoch
}

func (p forecaster) forecast(ctx context.Context, catalog []*sqlserver.Table, f *forecast) {
	if !p.table.Enabled {
		f.Will = "nothing: enabled: false"
		return
	}
	t, err := p.find(catalog)
	if err != nil {
		f.fail(err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*patience)
	defer cancel()
	weighed, err := weigh(ctx, p.source, []*sqlserver.Table{t})
	if err == nil {
		err = p.predict(ctx, weighed[0], f)
	}
	if err != nil {
		f.fail(err)
		return
	}
	if len(p.table.Windows) > 0 {
		var times []string
		for _, w := range p.table.Windows {
			times = append(times, w.String())
		}
		f.Notes = append(f.Notes, "moves only "+strings.Join(times, ", "))
	}
	for _, l := range t.LeftOut {
		f.Notes = append(f.Notes, "column "+l.Column+" is left out: "+l.Reason)
	}
}

// find finds the table in the catalog, as it will be read.
func (p forecaster) find(catalog []*sqlserver.Table) (*sqlserver.Table, error) {
	i := slices.IndexFunc(catalog, func(t *sqlserver.Table) bool {
		return strings.EqualFold(t.Schema, p.table.Name.Schema) && strings.EqualFold(t.Name, p.table.Name.Name)
	})
	if i < 0 {
		return nil, errNotThere
	}
	t, err := asRead(catalog[i], p.table)
	if err == nil && t.Refused != "" {
		err = fault.New("read "+t.String(), errRefusedTable, t.Refused)
	}
	return t, err
}

func (p forecaster) predict(ctx context.Context, t surveyed, f *forecast) error {
	loaded := p.version.Loaded && !p.restored
	s := sampler{limits: p.table.Limits, reader: p.source.Reader(t.Table, limits(p.table.Limits))}
	switch {
	case loaded && t.RowVersion != "" && t.RowVersionIndexed:
		return p.predictDelta(ctx, s, t, f)
	case loaded:
		f.Will, f.Unknown = "changes, by reading the whole table", true
		if t.RowVersion == "" {
			f.Will = "comparison of the whole table"
		} else {
			f.Hint = sqlserver.IndexAdvice(t.Table)
			f.Notes = append(f.Notes, "an index would end that")
		}
	case p.restored:
		f.Will = "every row again: the source was restored"
	case p.version.Cursor != "" && p.version.Rows > 0:
		f.Will = "first load, resumed behind " + plural(p.version.Rows, "row")
	default:
		f.Will = "first load"
	}
	got, err := s.sample(ctx, s.reader.Load)
	if err != nil {
		return err
	}
	total, exact, err := p.total(ctx, t, got)
	if err != nil {
		return err
	}
	f.Estimated = !exact || !got.whole
	if !loaded && !p.restored && p.version.Cursor != "" {
		total = max(0, total-p.version.Rows)
	}
	f.figures = got.scale(f.figures, total, s.limits)
	if f.Read = total; f.Unknown {
		f.Rows, f.Bytes, f.Packed = 0, 0, 0
	}
	return nil
}

// total is how many rows the table has.
func (p forecaster) total(ctx context.Context, t surveyed, got sampled) (n int64, exact bool, err error) {
	switch {
	case got.whole:
		return got.rows, true, nil
	case t.rows >= 0:
		return max(t.rows, got.rows), false, nil
	}
	n, err = p.source.Count(ctx, t.Table)
	return n, true, err
}

// predictDelta predicts what follows the cloud's watermark. Where that is more
// than the sample, row versions are taken to be evenly spread.
func (p forecaster) predictDelta(ctx context.Context, s sampler, t surveyed, f *forecast) error {
	probe, err := p.source.Probe(ctx, []*sqlserver.Table{t.Table})
	if err != nil {
		return err
	}
	f.Will = "changes"
	from, reached := p.version.Watermark, p.version.Watermark
	got, err := s.sample(ctx, func(ctx context.Context, after sqlserver.Cursor, out *wire.Lines) (sqlserver.Chunk, error) {
		c, err := s.reader.Delta(ctx, from, probe.Ceiling, after, out)
		reached = max(reached, c.Watermark)
		return c, err
	})
	if err != nil {
		return err
	}
	total := got.rows
	if !got.whole {
		f.Estimated = true
		if reached > from {
			total = int64(float64(got.rows) * float64(probe.Ceiling-from) / float64(reached-from))
		}
		if t.rows >= 0 {
			total = min(total, max(t.rows, got.rows))
		}
	}
	if total == 0 {
		f.Will = "nothing new"
	}
	f.figures = got.scale(f.figures, total, s.limits)
	f.Read = total
	return nil
}

// A sampler reads the first chunks of something.
type sampler struct {
	limits config.Limits
	reader *sqlserver.Reader
}

// Bounds of a sample.
const (
	sampleChunks = 4
	sampleTime   = 2 * time.Second
)

// sampled is what a sample showed.
type sampled struct {
	rows, bytes, packed int64
	took                time.Duration // of the chunks behind the first, where there are several: it warms up
	timed               int64         // rows of these
	chunks              int64
	whole               bool // nothing is left
}

type readChunk func(context.Context, sqlserver.Cursor, *wire.Lines) (sqlserver.Chunk, error)

func (s sampler) sample(ctx context.Context, read readChunk) (got sampled, err error) {
	var lines wire.Lines
	var packed []byte
	at := sqlserver.Cursor("")
	for began := time.Now(); got.chunks < sampleChunks && time.Since(began) < sampleTime; {
		lines.Reset()
		c, err := read(ctx, at, &lines)
		if err != nil {
			return got, err
		}
		if packed, err = wire.EncodeLines(packed[:0], lines.Buf); err != nil {
			return got, err
		}
		if got.chunks == 1 {
			got.took, got.timed = 0, 0
		}
		got.chunks++
		got.rows, got.bytes, got.packed = got.rows+int64(c.Rows), got.bytes+int64(len(lines.Buf)), got.packed+int64(len(packed))
		got.took, got.timed = got.took+c.Elapsed, got.timed+int64(c.Rows)
		if at = c.Next; c.Done {
			got.whole = true
			break
		}
	}
	return got, nil
}

// scale makes figures for so many rows like those of the sample.
func (g sampled) scale(f figures, rows int64, l config.Limits) figures {
	f.Rows, f.Statements = rows, max(1, g.chunks)
	if g.rows == 0 || g.whole && rows == g.rows {
		f.Bytes, f.Packed, f.Seconds = g.bytes, g.packed, g.took.Seconds()
		return f
	}
	of := float64(rows) / float64(g.rows)
	f.Bytes, f.Packed = int64(of*float64(g.bytes)), int64(of*float64(g.packed))
	perRow := g.took.Seconds() / float64(max(1, g.timed))
	f.Seconds = perRow * float64(rows)
	chunk := float64(l.BatchRows)
	if perRow > 0 {
		chunk = min(chunk, l.QueryTime.Seconds()/perRow)
	}
	chunk = max(1, min(chunk, float64(l.BatchBytes)*float64(g.rows)/float64(max(1, g.bytes))))
	f.Statements = int64(math.Ceil(float64(rows) / chunk))
	return f
}
