package kubernetes

import (
	"net"
	"net/http"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/connrotation"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// newTransport returns how the API server is reached, and what ends it. No
// request outlasts its context.
func newTransport(cfg *rest.Config) (http.RoundTripper, func(), error) {
	own := *cfg
	own.ExecProvider = nil
	tc, err := own.TransportConfig()
	if err != nil {
		return nil, nil, err
	}
	connections := connrotation.NewConnectionTracker()
	if tc.DialHolder == nil {
		tc.DialHolder = &transport.DialHolder{Dial: (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext}
	}
	// client-go keeps one transport for all configurations that are alike, and
	// does not look at what their files say. A dialer of its own makes this one
	// unlike all others.
	tc.DialHolder = &transport.DialHolder{Dial: connrotation.NewDialerWithTracker(tc.DialHolder.Dial, connections).DialContext}
	end := func() {}
	// As in client-go, a program is not asked where there are credentials.
	if cfg.ExecProvider != nil && !tc.HasTokenAuth() && !tc.HasBasicAuth() && !tc.HasCertAuth() {
		p, err := newPlugin(cfg, connections.CloseAll)
		if err != nil {
			return nil, nil, err
		}
		end = p.end
		tc.TLS.GetCertHolder = &transport.GetCertHolder{GetCert: p.certificate}
		tc.Wrap(func(next http.RoundTripper) http.RoundTripper { return &authorizing{plugin: p, next: next} })
	}
	rt, err := transport.New(tc)
	if err != nil {
		end()
		return nil, nil, err
	}
	return share.Deadline(rt), func() {
		end()
		utilnet.CloseIdleConnectionsFor(rt)
	}, nil
}

// authorizing adds a plugin's credentials to requests.
type authorizing struct {
	plugin *plugin
	next   http.RoundTripper
}

// WrappedRoundTripper is for client-go, which looks for the innermost one.
func (a *authorizing) WrappedRoundTripper() http.RoundTripper { return a.next }

// RoundTrip implements http.RoundTripper. A request that is refused with
// credentials of earlier is made once more with new ones.
func (a *authorizing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Authorization") != "" {
		return a.next.RoundTrip(r)
	}
	began := time.Now()
	creds, err := a.plugin.get(r.Context())
	if err != nil {
		return nil, err
	}
	resp, err := a.next.RoundTrip(creds.put(r))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	a.plugin.refuse(creds)
	if creds.at.After(began) || (r.Body != nil && r.GetBody == nil) {
		return resp, nil
	}
	renewed, err := a.plugin.get(r.Context())
	if err != nil {
		// That is why it was refused.
		_ = resp.Body.Close()
		return nil, err
	}
	_ = resp.Body.Close()
	again := renewed.put(r)
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return a.next.RoundTrip(again)
}

// put returns a copy of the request with the token, if there is one; a certificate is the
// connection's.
func (c *credentials) put(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r
}
