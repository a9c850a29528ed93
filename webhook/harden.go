package webhook

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"runtime/debug"
	"strconv"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/sparselog"
)

// harden wraps everything served: no request ends the process, none is
// redirected, and no page of another site can post through a user's browser.
func harden(next http.Handler, hosts *Hosts, m *metrics, logger log.Logger) http.Handler {
	sparse := sparselog.New()
	var origins http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // an answer cut off on purpose
			}
			m.panics.Inc()
			sparse.Log(level.Error(logger), "msg", "handler panicked", "method", r.Method, "path", r.URL.Path,
				"stack", string(debug.Stack()), "err", p)
			http.Error(w, "internal error", http.StatusInternalServerError)
		}()

		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")

		r = canonical(r)
		// The webhook takes any content type and listens where browsers are.
		// Alertmanager sends neither Origin nor Sec-Fetch-Site.
		if err := origins.Check(r); err != nil {
			if r.URL.Path == webhookPath {
				m.requests.WithLabelValues(strconv.Itoa(http.StatusForbidden)).Inc()
			}
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if err := hosts.check(r); err != nil {
			if r.URL.Path == webhookPath {
				m.requests.WithLabelValues(strconv.Itoa(http.StatusMisdirectedRequest)).Inc()
			}
			sparse.Log(level.Warn(logger), "msg", "request refused", "code", http.StatusMisdirectedRequest, "remote", r.RemoteAddr, "path", r.URL.Path, "err", err)
			http.Error(w, oneLine(err), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// canonical returns r with the path that http.ServeMux would redirect it to,
// so that //webhook and /webhook/, as bases with a slash and careless
// configurations have it, are answered where they are.
func canonical(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	clean := path.Clean("/" + escaped)
	if clean == escaped {
		return r
	}
	unescaped, err := url.PathUnescape(clean)
	if err != nil {
		return r
	}
	u := *r.URL
	u.Path, u.RawPath = unescaped, clean
	c := *r
	c.URL = &u
	return &c
}

// readOnly answers GET and HEAD, and 405 to everything else.
func readOnly(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "want GET", http.StatusMethodNotAllowed)
			return
		}
		next(w, r)
	}
}
