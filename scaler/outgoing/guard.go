// Package outgoing makes the clients of all requests that the server and
// scalertool send to others. What they have in common is that credentials stay
// with the server that they are for: a redirect to another one is not followed.
// Round trippers add headers to each request that they are given, those of a
// redirect among them, and a URL, a body or a Referer may have a token as well;
// so it is the request that is refused, whatever is in it.
package outgoing

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// RedirectError is why a redirect was not followed.
type RedirectError struct {
	// From and To are the servers, as scheme://host:port.
	From, To string
}

// Error names both servers and nothing more of their URLs.
func (e *RedirectError) Error() string {
	return fmt.Sprintf("%s redirects to %s, which is another server, and no credentials are sent there: if it is the right one, write its URL in the configuration", e.From, e.To)
}

// check returns an error for a request that comes of a redirect to another
// server.
func check(r *http.Request) error {
	if r.Response == nil || r.Response.Request == nil || r.Response.Request.URL == nil {
		return nil
	}
	// Those of all redirects before this one were the same server.
	from, to := origin(r.Response.Request.URL), origin(r.URL)
	if from == to {
		return nil
	}
	return &RedirectError{From: from, To: to}
}

// origin is a server: its scheme, host and port.
func origin(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// Guard returns a round tripper that refuses redirects to another server. It
// must be the outermost one of its client.
func Guard(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return guard{next}
}

type guard struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := check(r); err != nil {
		closeBody(r)
		return nil, err
	}
	return g.next.RoundTrip(r)
}

// CloseIdleConnections is what http.Client looks for.
func (g guard) CloseIdleConnections() { closeIdle(g.next) }

// Proxy is Guard for a transport that nothing can be put around: it is asked
// for the proxy of every request, and its error ends that.
func Proxy(next func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		if err := check(r); err != nil || next == nil {
			return nil, err
		}
		return next(r)
	}
}

func closeIdle(t http.RoundTripper) {
	if c, ok := t.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// closeBody is what a round tripper owes a request that it does not send.
func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}
