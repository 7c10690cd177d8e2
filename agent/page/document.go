package page

import (
	"bytes"
	"fmt"
	"html"
	"time"

	"tidemark/agent"
)

// A document is a page being written. html/template would do this too, and make
// the agent 3 MiB larger: the linker keeps every method when templates are
// there.
type document struct{ bytes.Buffer }

// add writes a format whose arguments are text: what is in them is never markup.
func (d *document) add(format string, args ...any) {
	for i, a := range args {
		switch a.(type) {
		case int, int64, uint64, float64: // have no markup
		default:
			args[i] = html.EscapeString(fmt.Sprint(a))
		}
	}
	_, _ = fmt.Fprintf(d, format, args...) // a buffer takes everything
}

func (d *document) head(title string) {
	d.add(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="30">
<title>%s – Tidemark</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
`, title)
}

func (d *document) foot(version string, now time.Time) {
	d.add(`<footer>Tidemark %s, %s. The page is drawn anew every 30 s.</footer>
</body>
</html>
`, version, clock(now))
}

func (d *document) problem(p agent.Problem, now time.Time) {
	d.add("<section class=\"problem\">\n<h2>%s %s: %s</h2>\n<p>%s, for %s", p.Scope, p.Name, p.Message, p.Kind, short(now.Sub(p.Since)))
	if p.Times > 1 {
		d.add(", %d times in a row", p.Times)
	}
	if p.Next != nil {
		d.add(", next try %s", in(now, p.Next))
	}
	d.add("</p>\n")
	d.hint(p.Hint)
	d.add("</section>\n")
}

func (d *document) hint(text string) {
	if text != "" {
		d.add("<p class=\"hint\">%s</p>\n", text)
	}
}

// begin begins a table. A heading that begins with # is over numbers.
func (d *document) begin(headings ...string) {
	d.add("<div class=\"wide\">\n<table>\n<thead><tr>")
	for _, h := range headings {
		if h[0] == '#' {
			d.add(`<th class="n">%s`, h[1:])
		} else {
			d.add("<th>%s", h)
		}
	}
	d.add("</thead>\n<tbody>\n")
}

func (d *document) end() { d.add("</tbody>\n</table>\n</div>\n") }

// terms writes names with their values.
func (d *document) terms(class string, pairs ...string) {
	d.add("<dl class=\"%s\">\n", class)
	for i := 0; i < len(pairs); i += 2 {
		d.add("<div><dt>%s<dd>%s</div>\n", pairs[i], pairs[i+1])
	}
	d.add("</dl>\n")
}
