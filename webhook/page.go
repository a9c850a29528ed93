package webhook

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"

	"github.com/alertscaler/alertscaler/scaler/status"
)

// maxShown is how many policies one page shows; the API has them all.
const maxShown = 500

//go:embed pages/index.html
var indexHTML string

// indexPage is what the template shows.
type indexPage struct {
	Version     string
	Started     string
	NotReady    string
	ReloadError string
	Policies    []status.Policy
	Total       int
	Alerts      int
}

// index is the page at /. Its links are relative, so that it works behind a
// proxy that adds a prefix.
func index(o Options) http.HandlerFunc {
	tmpl := template.Must(template.New("index").Funcs(template.FuncMap{
		"time":    stamp,
		"segment": url.PathEscape,
		"join":    func(names []string) string { return strings.Join(names, ", ") },
	}).Parse(indexHTML))
	started := stamp(o.Now())
	return func(w http.ResponseWriter, _ *http.Request) {
		shown, total := firstStatuses(o.Policies, maxShown)
		page := indexPage{
			Version:  version.Version,
			Started:  started,
			Policies: shown,
			Total:    total,
			Alerts:   o.Alerts.Len(),
		}
		if o.Ready != nil {
			if err := o.Ready.Ready(); err != nil {
				page.NotReady = oneLine(err)
			}
		}
		if _, err := o.Config.LastReload(); err != nil {
			page.ReloadError = err.Error()
		}
		var buf bytes.Buffer
		if err := tmpl.Execute(&buf, page); err != nil {
			level.Error(o.Logger).Log("msg", "rendering page", "err", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		_, _ = w.Write(buf.Bytes())
	}
}

// firstStatuses are the first n policies, and how many there are.
func firstStatuses(p Policies, n int) (shown []status.Policy, total int) {
	if some, ok := p.(SomePolicies); ok {
		return some.FirstStatuses(n)
	}
	all := p.Statuses()
	return all[:min(len(all), n)], len(all)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
