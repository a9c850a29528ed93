package outgoing

import (
	"errors"
	"net/http"

	"github.com/prometheus/common/config"
)

// NewRoundTripper builds what sends requests as the configuration says. Unlike
// that of the library it follows no redirect to another server and, where
// follow_redirects is false, none at all, whoever's client it serves; and a
// request that waits for a token of OAuth 2 ends with its own context.
func NewRoundTripper(cfg config.HTTPClientConfig, name string, opts ...config.HTTPClientOption) (http.RoundTripper, error) {
	tokens := cfg.OAuth2
	cfg.OAuth2 = nil
	rt, err := config.NewRoundTripperFromConfig(cfg, name, opts...)
	if err != nil {
		return nil, err
	}
	if tokens != nil {
		if rt, err = newOAuth2(tokens, rt, name, opts...); err != nil {
			return nil, err
		}
	}
	if !cfg.FollowRedirects {
		rt = stays{rt}
	}
	return Guard(rt), nil
}

// NewClient builds a client of NewRoundTripper. Where follow_redirects is false
// a redirect is its answer.
func NewClient(cfg config.HTTPClientConfig, name string, opts ...config.HTTPClientOption) (*http.Client, error) {
	rt, err := NewRoundTripper(cfg, name, opts...)
	if err != nil {
		return nil, err
	}
	c := &http.Client{Transport: rt}
	if !cfg.FollowRedirects {
		c.CheckRedirect = Stay
	}
	return c, nil
}

// Stay is the CheckRedirect of a client to which a redirect is an answer.
func Stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// StayUnlessRead is the CheckRedirect of a client that also writes. A write
// that is redirected may come back as the answer to a read, which would look
// like success.
func StayUnlessRead(_ *http.Request, via []*http.Request) error {
	if via[0].Method != http.MethodGet && via[0].Method != http.MethodHead {
		return http.ErrUseLastResponse
	}
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// stays refuses the request of any redirect, for clients that would follow it.
type stays struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s stays) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Response != nil {
		closeBody(r)
		return nil, errors.New("redirects are not followed, as follow_redirects is false")
	}
	return s.next.RoundTrip(r)
}

// CloseIdleConnections is what http.Client looks for.
func (s stays) CloseIdleConnections() { closeIdle(s.next) }
