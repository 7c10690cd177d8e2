package fleet

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"tidemark/cloud"
	"tidemark/cloud/cost"
)

//go:embed assets
var assets embed.FS

//go:embed templates
var templates embed.FS

// Config is what a page needs.
type Config struct {
	Store     Store // what it shows; may be a replica
	Operators interface {
		OperatorKeys(ctx context.Context) ([]cloud.OperatorKey, error)
	}
	// Balance is the model of the database's volume; nil: there is none.
	Balance func() (cost.Balance, bool)
	// SilentAfter is when a customer that does not report counts as silent; 0:
	// for sites that check in every half hour.
	SilentAfter time.Duration
	Secure      bool // browsers speak TLS with it, or with a proxy in front
	Version     string
	Logger      *zap.Logger      // who signs in; nil: none
	Now         func() time.Time // nil: time.Now
}

// A Page answers operators' browsers. Run has to run beside it.
type Page struct {
	config   Config
	watcher  *Watcher
	costs    costs
	keys     keys
	attempts attempts
	reading  chan struct{} // pages of customers that are being read
	counts   counts
	views    map[string]*template.Template
	handler  http.Handler
}

// pageTime bounds the work on one page.
const pageTime = 15 * time.Second

// readers is how many customers are read at a time.
const readers = 4

// New returns a page.
func New(c Config) *Page {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.SilentAfter == 0 {
		c.SilentAfter = SilentAfter(30 * time.Minute)
	}
	p := &Page{config: c, watcher: newWatcher(c), keys: keys{store: c.Operators}, reading: make(chan struct{}, readers)}
	p.costs.store = c.Store
	p.views = parse()
	p.handler = p.routes()
	return p
}

// Run reads the fleet while somebody looks, until ctx ends.
func (p *Page) Run(ctx context.Context) { p.watcher.Run(ctx) }

// ServeHTTP answers one request.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

func (p *Page) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", p.getLogin)
	mux.HandleFunc("POST /login", p.postLogin)
	mux.HandleFunc("POST /logout", p.postLogout)
	mux.HandleFunc("GET /style.css", asset("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /fleet.js", asset("fleet.js", "text/javascript; charset=utf-8"))
	for path, f := range map[string]view{
		"GET /{$}": p.fleet, "GET /customers/{customer}": p.customer, "GET /decisions": p.decisions, "GET /agents": p.agents,
		"GET /quarantine": p.quarantine, "GET /rollouts": p.rollouts, "GET /costs": p.costsPage,
	} {
		mux.Handle(path, p.signedIn(f))
	}
	mux.Handle("/", p.signedIn(func(*http.Request) (string, any, error) { return "", nil, errNoPage }))
	return guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard sets what browsers hold a page to: nothing but its own style and
// script, in no frame, kept by nobody.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		next.ServeHTTP(w, r)
	})
}

func asset(name, kind string) http.HandlerFunc {
	body, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=300")
		send(w, r, http.StatusOK, body)
	}
}

// A view returns the name of a template and what it shows. "" with a string
// leads there.
type view func(r *http.Request) (name string, data any, err error)

var errNoPage = errors.New("there is no such page")

// signedIn shows a view to operators, and to nobody else.
func (p *Page) signedIn(f view) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok, err := p.session(r)
		switch {
		case err != nil:
			p.config.Logger.Warn("the operators' keys could not be read", zap.Error(err))
			p.fail(w, r, "", http.StatusServiceUnavailable, "The operators' keys could not be read. Try again in a moment.")
			return
		case !ok && r.Method != http.MethodGet && r.Method != http.MethodHead:
			p.fail(w, r, "", http.StatusUnauthorized, "Sign in first.")
			return
		case !ok:
			http.Redirect(w, r, "/login?"+next(r), http.StatusSeeOther)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), pageTime)
		defer cancel()
		r = r.WithContext(ctx)
		view, data, err := f(r)
		switch {
		case errors.Is(err, errNoPage), errors.Is(err, errNoCustomer):
			p.fail(w, r, name, http.StatusNotFound, err.Error()+".")
		case err != nil:
			p.config.Logger.Warn("a page could not be made", zap.String("path", r.URL.Path), zap.Error(err))
			p.fail(w, r, name, http.StatusServiceUnavailable, "The store does not answer, or the fleet is still being read. Try again in a moment.")
		case view == "":
			http.Redirect(w, r, data.(string), http.StatusSeeOther)
		default:
			p.show(w, r, http.StatusOK, view, name, data)
		}
	})
}

// shown is what every template has.
type shown struct {
	View, Operator, Version string
	Path, Query             string
	Kept                    []kept
	Now                     time.Time
	Data                    any
}

// A kept is a part of the query that a search keeps.
type kept struct{ Name, Value string }

// keeping returns what a search of a view keeps: which costs are told.
func keeping(view string, r *http.Request) (all []kept) {
	if view != "costs.html" {
		return nil
	}
	for _, name := range costsAbout {
		if v := r.URL.Query().Get(name); v != "" {
			all = append(all, kept{name, v})
		}
	}
	return all
}

func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, view, operator string, data any) {
	p.counts.page(view)
	var b bytes.Buffer
	s := shown{View: view, Operator: operator, Version: p.config.Version, Path: r.URL.Path, Query: query(r), Kept: keeping(view, r), Now: p.config.Now().UTC(), Data: data}
	if err := p.views[view].ExecuteTemplate(&b, "layout.html", s); err != nil {
		p.config.Logger.Error("a template failed", zap.String("view", view), zap.Error(err))
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, r, status, b.Bytes())
}

func (p *Page) fail(w http.ResponseWriter, r *http.Request, operator string, status int, text string) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	p.show(w, r, status, "error.html", operator, struct{ Title, Text string }{http.StatusText(status), text})
}

// query is what is searched for.
func query(r *http.Request) string {
	q := []rune(r.URL.Query().Get("q"))
	return string(q[:min(len(q), 200)])
}

func number(r *http.Request, name string, least int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < least {
		return least
	}
	return min(n, 1<<20)
}
