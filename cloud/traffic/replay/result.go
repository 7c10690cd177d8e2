package replay

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"tidemark/cloud/traffic/latency"
	"tidemark/cloud/traffic/recording"
	"tidemark/internal/fault"
)

// A Result holds both sides beside each other.
type Result struct {
	Requests int           // that were sent
	LeftOut  int           // of tables with a gap, and of tables that the copy is too old for
	Retries  int64         // tries that were not answered, or with 429 or 503
	Differ   int           // answers with another status than recorded
	Spans    time.Duration // of the recording
	Took     time.Duration // of the replay
	Problems []string      // for people: gaps, tables left out, where the recording is cut off

	mu        sync.Mutex
	skip      map[lane]bool
	endpoints map[string]*side
	differ    map[string]int // "POST rows: 200, now 409"
}

// A side is one endpoint on both sides.
type side struct {
	recorded, now              latency.Histogram
	recordedBlocks, blocks     int64
	recordedStatus, nowStatus  [6]int // by hundreds
	recordedKnows, targetKnows bool   // whether blocks are counted
}

func newResult(s *survey, late map[lane]string) *Result {
	r := &Result{Spans: s.last.Sub(s.first), skip: map[lane]bool{}, endpoints: map[string]*side{}, differ: map[string]int{}}
	for _, l := range slices.SortedFunc(maps.Keys(late), func(a, b lane) int { return cmp.Or(cmp.Compare(a.customer, b.customer), cmp.Compare(a.table, b.table)) }) {
		r.skip[l] = true
		r.Problems = append(r.Problems, fmt.Sprintf("%s of %s is left out: %s", l.table, l.customer, late[l]))
	}
	for l := range s.gaps {
		r.Problems = append(r.Problems, fmt.Sprintf("%s of %s is replayed up to a gap: the recorder could not keep up with it", l.table, l.customer))
	}
	if s.broken != nil {
		r.Problems = append(r.Problems, s.broken.Error())
	}
	return r
}

// left tells whether an entry is of a table that is left out.
func (r *Result) left(e *recording.Entry) bool {
	if e.Table == "" || !r.skip[lane{e.Customer, e.Table}] {
		return false
	}
	r.LeftOut++
	return true
}

func (r *Result) side(endpoint string) *side {
	s := r.endpoints[endpoint]
	if s == nil {
		s = new(side)
		r.endpoints[endpoint] = s
	}
	return s
}

func (r *Result) add(e *recording.Entry, o outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Requests++
	s := r.side(e.Endpoint)
	s.recorded.Add(time.Duration(e.Took) * time.Microsecond)
	s.now.Add(o.took)
	s.recordedBlocks += e.Blocks
	s.recordedKnows = s.recordedKnows || e.Blocks > 0
	s.recordedStatus[class(e.Status)]++
	s.nowStatus[class(o.status)]++
	if e.Status != o.status && !refused(e.Status) && !refused(o.status) {
		r.Differ++
		r.differ[fmt.Sprintf("%s: %d, now %d", e.Endpoint, e.Status, o.status)]++
	}
}

// refused tells whether an answer is about the server's load alone.
func refused(status int) bool {
	return status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests
}

func class(status int) int {
	if c := status / 100; c >= 1 && c <= 5 {
		return c
	}
	return 0
}

// blocks reads, from the target's metrics, the blocks that its requests had
// the database read and find, by endpoint; nil where it does not count them.
func (t *target) blocks(ctx context.Context) (map[string]int64, error) {
	const op = "read the target's metrics"
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := t.request(ctx, http.MethodGet, "/metrics", "", nil)
	if err != nil {
		return nil, fault.New(op, err, "")
	}
	a, err := t.client.Do(r)
	if err != nil {
		return nil, fault.New(op, err, "Check --to: is the target running?")
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil, fault.New(op, fmt.Errorf("it answers %s", a.Status), "--to must be the URL of a tidemark-cloud, without a path.")
	}
	return readBlocks(a.Body)
}

func readBlocks(in io.Reader) (map[string]int64, error) {
	var out map[string]int64
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		rest, isRead := strings.CutPrefix(lines.Text(), `tidemark_cost_blocks_read_total{endpoint="`)
		if !isRead {
			var isHit bool
			if rest, isHit = strings.CutPrefix(lines.Text(), `tidemark_cost_blocks_hit_total{endpoint="`); !isHit {
				continue
			}
		}
		endpoint, _, _ := strings.Cut(rest, `"`)
		n, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			continue
		}
		if out == nil {
			out = map[string]int64{}
		}
		out[endpoint] += int64(n)
	}
	return out, lines.Err()
}

func (r *Result) blocks(before, after map[string]int64) {
	for endpoint, n := range after {
		if s := r.endpoints[endpoint]; s != nil {
			s.blocks, s.targetKnows = n-before[endpoint], true
		}
	}
}

// WriteText writes both sides as a table for people.
func (r *Result) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	out := io.Writer(t)
	speed := "-"
	if r.Took > 0 {
		speed = fmt.Sprintf("%.1f", r.Spans.Seconds()/r.Took.Seconds())
	}
	fmt.Fprintf(out, "%d requests of %s in %s (speed %s); %d left out, %d tries repeated\n", r.Requests, r.Spans.Round(time.Millisecond), r.Took.Round(time.Millisecond), speed, r.LeftOut, r.Retries)
	fmt.Fprintf(out, "\nrecorded, now\trequests\tp50\tnow\tp99\tnow\t2xx\tnow\t4xx\tnow\t5xx\tnow\tblocks\tnow\t\n")
	for _, name := range slices.Sorted(maps.Keys(r.endpoints)) {
		s := r.endpoints[name]
		fmt.Fprintf(out, "%-20s\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t\n", name, s.now.Count(),
			latency.Text(s.recorded.Quantile(.5)), latency.Text(s.now.Quantile(.5)), latency.Text(s.recorded.Quantile(.99)), latency.Text(s.now.Quantile(.99)),
			s.recordedStatus[2]+s.recordedStatus[3], s.nowStatus[2]+s.nowStatus[3], s.recordedStatus[4], s.nowStatus[4], s.recordedStatus[5], s.nowStatus[5],
			known(s.recordedBlocks, s.recordedKnows), known(s.blocks, s.targetKnows))
	}
	if r.Differ > 0 {
		fmt.Fprintf(out, "\n%d answers have another status than recorded:\n", r.Differ)
		for _, what := range slices.Sorted(maps.Keys(r.differ)) {
			fmt.Fprintf(out, "  %s (%d)\n", what, r.differ[what])
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(out, "\n%s\n", p)
	}
	return t.Flush()
}

func known(n int64, counted bool) string {
	if !counted {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}
