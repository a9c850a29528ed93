package config

import (
	"net/http"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/yamlfile"
)

// URL is an absolute http or https URL. Its user and its query may be secrets.
type URL struct{ *url.URL }

// UnmarshalYAML parses the URL.
func (u *URL) UnmarshalYAML(n *yaml.Node) error {
	v, err := url.Parse(n.Value)
	if n.Kind != yaml.ScalarNode {
		return yamlfile.ErrorAt(n, "%s is not a URL; write it as http://host:port or https://host:port/prefix", kindOf(n))
	}
	if err != nil || v.Host == "" || (v.Scheme != "http" && v.Scheme != "https") {
		return yamlfile.ErrorAt(n, "%q is not a URL; write it as http://host:port or https://host:port/prefix", redact(n.Value))
	}
	u.URL = v
	return nil
}

// redact keeps a password or a token in a malformed URL out of the error.
func redact(s string) string {
	if at := strings.LastIndex(s, "@"); at >= 0 {
		s = secret + s[at:]
	}
	return hideQuery(s)
}

// MarshalYAML renders what Shown does.
func (u URL) MarshalYAML() (any, error) { return u.Shown(), nil }

// Shown is the URL with user, password and the values of its query hidden.
func (u URL) Shown() string {
	if u.URL == nil {
		return ""
	}
	return shownURL(u.String())
}

// Public is the URL without user and query, for clients that repeat the URL in
// their errors. Transport adds both to what they send.
func (u URL) Public() *url.URL {
	public := *u.URL
	public.User, public.RawQuery, public.ForceQuery, public.Fragment, public.RawFragment = nil, "", false, "", ""
	return &public
}

// Transport sends requests by next, with the user and the query that Public has
// left out. What goes to another host, as after a redirect, goes without them.
func (u URL) Transport(next http.RoundTripper) http.RoundTripper {
	if u.User == nil && u.RawQuery == "" {
		return next
	}
	return &privateParts{url: u.URL, next: next}
}

type privateParts struct {
	url  *url.URL
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (p *privateParts) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != p.url.Host || req.URL.Scheme != p.url.Scheme {
		return p.next.RoundTrip(req)
	}
	req = req.Clone(req.Context())
	if p.url.User != nil && req.Header.Get("Authorization") == "" {
		password, _ := p.url.User.Password()
		req.SetBasicAuth(p.url.User.Username(), password)
	}
	if p.url.RawQuery != "" {
		req.URL.RawQuery = strings.Trim(req.URL.RawQuery+"&"+p.url.RawQuery, "&")
	}
	return p.next.RoundTrip(req)
}

// CloseIdleConnections lets an http.Client close those of next.
func (p *privateParts) CloseIdleConnections() {
	if c, ok := p.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
