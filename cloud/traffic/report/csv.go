package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// WriteCSV writes all cells, one a line, below one head (RFC 4180). dimension
// is endpoint, customer, table or hour; an hour's line has the endpoint in the
// column of that name.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	head := []string{"dimension", "name", "endpoint", "requests", "bytes_in", "bytes_out",
		"mean_seconds", "p50_seconds", "p90_seconds", "p99_seconds", "max_seconds", "status_none", "status_1xx", "status_2xx", "status_3xx", "status_4xx", "status_5xx"}
	err := c.Write(head)
	write := func(dimension, name, endpoint string, row Row) {
		line := []string{dimension, harmless(name), harmless(endpoint), number(row.Requests), number(row.In), number(row.Out)}
		for _, s := range []Seconds{row.Mean, row.P50, row.P90, row.P99, row.Most} {
			line = append(line, strconv.FormatFloat(float64(s), 'f', 6, 64))
		}
		for _, n := range row.Statuses {
			line = append(line, number(n))
		}
		if err == nil {
			err = c.Write(line)
		}
	}
	for _, row := range r.Endpoints {
		write("endpoint", row.Name, row.Name, row)
	}
	for _, row := range r.Customers {
		write("customer", row.Name, "", row)
	}
	for _, row := range r.Tables {
		write("table", row.Name, "", row)
	}
	for _, h := range r.Hours {
		write("hour", h.Hour, h.Name, h.Row)
	}
	c.Flush()
	if err != nil {
		return err
	}
	return c.Error()
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// harmless keeps a spreadsheet from taking a name that a client made up for a
// formula.
func harmless(name string) string {
	if name != "" && strings.ContainsRune("=+-@\t\r", rune(name[0])) {
		return "'" + name
	}
	return name
}
