package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tidemark/cloud"
	"tidemark/cloud/traffic/report"
)

var start = time.Date(2026, 7, 2, 22, 0, 0, 0, time.UTC)

// request is a line of an application load balancer.
func request(at time.Time, method, target string, status int, took time.Duration) string {
	return fmt.Sprintf(`https %s app/lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.000 %.6f 0.000 %d %d 1000 100 "%s https://sync.example.com:443%s HTTP/1.1" "tidemark" - - arn:tg "Root=1"`,
		at.Format("2006-01-02T15:04:05.000000Z"), took.Seconds(), status, status, method, target)
}

func gather(lines ...string) *report.Report {
	g := report.NewGatherer(cloud.Operations())
	for i, l := range lines {
		g.Line("a.log", int64(i+1), []byte(l))
	}
	return g.Report()
}

func names(rows []report.Row) (out []string) {
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%s %d", r.Name, r.Requests))
	}
	return out
}

// Endpoint, customer and table are those of the API's own routes; hours are in
// order whatever the order of lines.
func TestCells(t *testing.T) {
	r := gather(
		request(start.Add(time.Hour), "GET", "/v1/customers/acme/versions", 304, time.Millisecond),
		request(start, "POST", "/v1/customers/acme/tables/dbo.orders/rows?x=1/2", 200, time.Second),
		request(start.Add(3*time.Hour), "POST", "/v1/customers/globex/tables/dbo.orders%2Fold/summary", 503, time.Second),
		request(start, "GET", "/v1/customers/acme/tables/dbo.orders", 200, time.Millisecond),
		request(start, "GET", "/wp-login.php", 404, time.Millisecond),
		request(start, "GET", "/v1/customers/acme/versions/", 404, time.Millisecond),
		request(start, "GET", "/v1/customers//versions", 404, time.Millisecond),
		request(start, "GET", "/healthz", 200, time.Millisecond),
		"garbage",
		"tls 2.0 2026-07-02T22:59:40 net/lb/c6 g3 72.21.218.154:51341 172.100.100.185:443 5 2 98 246 - arn - ECDHE tlsv12 - sync.example.com",
	)
	for _, test := range []struct {
		name string
		got  []string
		want []string
	}{
		{"endpoints", names(r.Endpoints), []string{"(unknown) 3", "(connections) 1", "healthz 1", "rows 1", "summary 1", "table 1", "versions 1"}},
		{"customers", names(r.Customers), []string{"acme 3", "globex 1"}},
		{"tables", names(r.Tables), []string{"dbo.orders 2", "dbo.orders/old 1"}},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	var hours []string
	for _, h := range r.Hours {
		hours = append(hours, h.Hour)
	}
	if !slices.IsSorted(hours) || hours[0] != "2026-07-02T22Z" || hours[len(hours)-1] != "2026-07-03T01Z" {
		t.Error(hours)
	}
	if r.Malformed != 1 || len(r.Examples) != 1 || !strings.HasPrefix(r.Examples[0], "a.log:9: ") {
		t.Error(r.Malformed, r.Examples)
	}
	if r.Total.Requests != 9 || r.Total.Statuses != [6]uint64{1, 0, 3, 1, 3, 1} || r.Total.In != 8098 {
		t.Errorf("%+v", r.Total)
	}
}

// A percentile is right within a bucket.
func TestPercentiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var took []float64
	var lines []string
	for range 5000 {
		d := time.Duration(math.Exp(random.NormFloat64()*2) * float64(5*time.Millisecond)).Truncate(time.Microsecond)
		took = append(took, d.Seconds())
		lines = append(lines, request(start, "GET", "/v1/customers/acme/versions", 200, d))
	}
	slices.Sort(took)
	r := gather(lines...).Total
	for q, got := range map[float64]report.Seconds{.5: r.P50, .9: r.P90, .99: r.P99} {
		want := took[int(math.Ceil(q*float64(len(took))))-1]
		if ratio := float64(got) / want; ratio < 1/1.05 || ratio > 1.05 {
			t.Errorf("p%v is %v, not %v", q*100, got, want)
		}
	}
	if float64(r.Most) != took[len(took)-1] {
		t.Error(r.Most, took[len(took)-1])
	}
}

func TestGrown(t *testing.T) {
	var before, now []string
	for i := range 100 {
		at := start.Add(time.Duration(i) * time.Minute)
		before = append(before, request(at, "GET", "/v1/customers/acme/versions", 200, time.Millisecond))
		now = append(now, request(at, "GET", "/v1/customers/acme/versions", 200, time.Millisecond))
		now = append(now, request(at, "POST", "/v1/customers/acme/tables/dbo.audit/manifest", 200, time.Second))
	}
	r := gather(now...)
	r.Compare(gather(before...))
	want := []string{"endpoint manifest true", "table dbo.audit true", "customer acme false"}
	var got []string
	for _, g := range r.Grown {
		got = append(got, fmt.Sprint(g.Kind, " ", g.Name, " ", g.New))
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r.Compare(r)
	if len(r.Grown) != 0 {
		t.Errorf("a report has grown against itself: %+v", r.Grown)
	}
}

// Names that clients make up are text in every form, and cells are bounded.
func TestHostileNames(t *testing.T) {
	lines := []string{
		request(start, "GET", "/v1/customers/%3Cscript%3Ealert(1)%3C%2Fscript%3E/versions", 401, time.Millisecond),
		request(start, "GET", "/v1/customers/=HYPERLINK(1)/versions", 401, time.Millisecond),
		request(start, "GET", "/v1/customers/%1b%5b2J/versions", 401, time.Millisecond),
	}
	for i := range 21_000 {
		lines = append(lines, request(start, "GET", fmt.Sprintf("/v1/customers/x%d/versions", i), 401, time.Millisecond))
	}
	r := gather(lines...)
	if len(r.Customers) > 20_001 || r.Customers[0].Name != "(other)" || r.Customers[0].Requests != 1003 {
		t.Errorf("%d customers, %+v", len(r.Customers), r.Customers[0])
	}
	r = gather(lines[:3]...)
	var html, text, table bytes.Buffer
	for _, err := range []error{r.WriteHTML(&html), r.WriteText(&text), r.WriteCSV(&table)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(html.String(), "<script") || strings.Contains(text.String(), "\x1b") {
		t.Error("a name acts")
	}
	rows, err := csv.NewReader(&table).ReadAll()
	if err != nil || !slices.ContainsFunc(rows, func(r []string) bool { return r[1] == "'=HYPERLINK(1)" }) {
		t.Errorf("%v %v", rows, err)
	}
}

func TestForms(t *testing.T) {
	for _, r := range []*report.Report{gather(), gather(request(start, "GET", "/healthz", 200, 0), request(start.Add(30*time.Hour), "GET", "/healthz", 200, time.Second))} {
		var b bytes.Buffer
		if err := json.NewEncoder(&b).Encode(r); err != nil {
			t.Fatal(err)
		}
		again := new(report.Report)
		if err := json.Unmarshal(b.Bytes(), again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Error(diff)
		}
		var html, text, table bytes.Buffer
		for _, err := range []error{r.WriteHTML(&html), r.WriteText(&text), r.WriteCSV(&table)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if plots := strings.Count(html.String(), "<svg"); r.Total.Requests == 0 && plots != 0 || r.Total.Requests > 0 && plots != 2 {
			t.Errorf("%d plots of %d requests", plots, r.Total.Requests)
		}
	}
}
