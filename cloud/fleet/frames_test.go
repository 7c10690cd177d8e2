package fleet_test

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// frames looks at pages in frames of a width, which may be less than that of
// any window: whether they are wider, whether things that stand side by side
// or below each other overlap, and whether "/" leads to the search.
const frames = `<!doctype html><title>frames</title><style>body { margin: 0 } iframe { border: 0 }</style>
{{range .To}}<iframe width="{{$.Width}}" height="900" src="{{.}}"></iframe>{{end}}<pre id="said"></pre><script>
addEventListener("load", () => {
  const said = [];
  for (const f of document.querySelectorAll("iframe")) {
    const d = f.contentDocument, root = d.documentElement, q = d.getElementById("q");
    const say = (what) => said.push(f.getAttribute("src") + " at " + f.width + ": " + what);
    if (!d.querySelector("main")) { say("there is nothing"); continue; }
    if (root.scrollWidth > root.clientWidth) say("it is " + root.scrollWidth + " wide");
    for (const group of d.querySelectorAll("body, main, .bar, .bar nav, .figures, .figures div, .choices, .under, .legend, .plots, .pair, .rollout, .budget, .terms, .terms div, .steps")) {
      const boxes = [...group.children].filter((e) => d.defaultView.getComputedStyle(e).position === "static")
        .map((e) => [e, e.getBoundingClientRect()]).filter(([e, b]) => b.width > 1 && b.height > 1);
      boxes.forEach(([e, a], i) => boxes.slice(i + 1).forEach(([o, b]) => {
        if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)
          say(e.outerHTML.slice(0, 60) + " lies on " + o.outerHTML.slice(0, 60));
      }));
    }
    const slash = () => new f.contentWindow.KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true });
    if (d.dispatchEvent(slash()) || d.activeElement !== q) say("/ does not lead to the search");
    if (!q.dispatchEvent(slash())) say("/ cannot be typed");
  }
  document.getElementById("said").textContent = said.join("\n") || "all is well";
});
</script>`

var framesPage = template.Must(template.New("frames").Parse(frames))

func writeFrames(w http.ResponseWriter, q url.Values) {
	_ = framesPage.Execute(w, struct { // a browser that is gone cannot be told
		Width string
		To    []string
	}{q.Get("width"), q["to"]})
}

// fits fails where a page does not fit a width.
func (c *chromium) fits(width int, paths []string) {
	c.t.Helper()
	q := url.Values{"width": {strconv.Itoa(width)}, "to": paths}
	dom := string(c.browse("--dump-dom", c.url+"/frames?"+q.Encode()))
	_, said, _ := strings.Cut(dom, `<pre id="said">`)
	if said, _, _ = strings.Cut(said, "</pre>"); said != "all is well" {
		c.t.Errorf("%s", said)
	}
}

// renewing looks at a page, a minute later than it was loaded, until it was
// loaded anew: the picture comes then.
var renewing = template.Must(template.New("renewing").Parse(`<!doctype html><title>later</title>
<iframe width="1000" height="900" src="{{.}}#later"></iframe><img src="/renewed?path={{.}}" alt="">`))

// later has the page's script believe that a minute has passed.
const later = `if (location.hash === "#later") { const now = Date.now; Date.now = () => now() + 60000; }
`

// renewed waits until a path was asked for twice.
func (c *chromium) renewed(ctx context.Context, path string) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for ctx.Err() == nil && c.times(path) < 2 {
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *chromium) times(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[path]
}

// renews fails where a page that is looked at is not loaded anew.
func (c *chromium) renews(path string) {
	c.t.Helper()
	c.mu.Lock()
	c.asked[path] = 0
	c.mu.Unlock()
	c.browse("--dump-dom", c.url+"/renewing?path="+url.QueryEscape(path))
	if n := c.times(path); n < 2 {
		c.t.Errorf("%s was loaded %d times in a minute", path, n)
	}
}
