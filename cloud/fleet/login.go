package fleet

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// next says, for the query of the login form, where somebody wanted to go.
func next(r *http.Request) string {
	if to := r.URL.RequestURI(); r.Method == http.MethodGet && local(to) != "/" && len(to) < 1000 {
		return url.Values{"next": {to}}.Encode()
	}
	return ""
}

type login struct{ Next, Failed string }

func (p *Page) getLogin(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusOK, "login.html", "", login{Next: local(r.URL.Query().Get("next"))})
}

// postLogin begins a session. What is wrong with a key is not told.
func (p *Page) postLogin(w http.ResponseWriter, r *http.Request) {
	now, from := p.config.Now(), address(r)
	form := login{Next: local(r.PostFormValue("next"))}
	if wait := p.attempts.wait(from, now); wait > 0 {
		p.counts.signIn("limited")
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		form.Failed = "Too many attempts. Wait a moment."
		p.show(w, r, http.StatusTooManyRequests, "login.html", "", form)
		return
	}
	key, ok, err := p.keys.find(r.Context(), strings.TrimSpace(r.PostFormValue("key")), now)
	switch {
	case err != nil:
		p.config.Logger.Warn("the operators' keys could not be read", zap.Error(err))
		p.fail(w, r, "", http.StatusServiceUnavailable, "The operators' keys could not be read. Try again in a moment.")
		return
	case !ok:
		p.attempts.failed(from, now)
		p.counts.signIn("refused")
		p.config.Logger.Warn("an operator's key was refused", zap.String("remote", r.RemoteAddr))
		form.Failed = "That key opens nothing here."
		p.show(w, r, http.StatusUnauthorized, "login.html", "", form)
		return
	}
	p.counts.signIn("let in")
	p.config.Logger.Info("an operator signed in", zap.String("operator", key.Name), zap.String("remote", r.RemoteAddr))
	http.SetCookie(w, p.cookie(newSession(key, now.Add(sessionTime)), int(sessionTime/time.Second)))
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// postLogout ends the session in this browser.
func (p *Page) postLogout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, p.cookie("", -1))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
