package webhook

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Hosts are the names by which the server may be asked. A page of another site
// can have a browser ask this server by a name of its own, once that name leads
// here (DNS rebinding); the browser takes the answer for that site's own, and
// only the name gives it away. Nobody else can make names without a dot, those
// below, and addresses lead here.
type Hosts struct{ names map[string]struct{} }

// suffixes are of names that are given out on this machine or in its cluster.
var suffixes = []string{".localhost", ".svc", ".cluster.local", ".internal"}

// NewHosts returns the hosts with these names beside those that are always
// among them.
func NewHosts(names ...string) *Hosts {
	h := &Hosts{names: make(map[string]struct{})}
	for _, n := range names {
		h.names[hostname(n)] = struct{}{}
	}
	return h
}

// hostname is the name in a Host header, comparable.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

func (h *Hosts) known(host string) bool {
	name := hostname(host)
	if _, ok := h.names[name]; ok || !strings.Contains(name, ".") && !strings.Contains(name, ":") {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, s := range suffixes {
		if strings.HasSuffix(name, s) {
			return true
		}
	}
	return false
}

// forPrograms are the paths that programs ask for, which get along with any
// name: Alertmanager, Prometheus, load balancers. What a browser asks for by a
// name that is not known is refused here too.
var forPrograms = map[string]bool{
	webhookPath: true, "/metrics": true, "/sd/targets": true, "/-/healthy": true, "/-/ready": true,
}

// check returns why the request is refused, or nil.
func (h *Hosts) check(r *http.Request) error {
	if h == nil || h.known(r.Host) || (forPrograms[r.URL.Path] && !byBrowser(r)) {
		return nil
	}
	return fmt.Errorf("the server is not known by the name %.60q: if it is one of its names, start Alertscaler with --web.external-url=http://%.60s", hostname(r.Host), r.Host)
}

// byBrowser reports whether a browser may have sent the request. The headers
// are some that a browser always sends and no script of a page can leave out:
// every browser sends Accept-Language and says which compressions it takes,
// and Origin with every POST.
func byBrowser(r *http.Request) bool {
	for _, name := range []string{"Origin", "Referer", "Cookie", "Accept-Language", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"} {
		if _, ok := r.Header[name]; ok {
			return true
		}
	}
	return strings.Contains(r.Header.Get("Accept-Encoding"), "deflate") || strings.Contains(r.UserAgent(), "Mozilla/")
}
