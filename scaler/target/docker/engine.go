package docker

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// engine is a client of one Docker Engine, safe for concurrent use.
type engine struct {
	host string
	api  *client.Client
	// raw makes the one request that api cannot; see updateReplicas.
	raw     *http.Client
	rawBase url.URL

	negotiated  atomic.Bool
	negotiating share.Lock
}

func newEngine(cfg *HostConfig, override *http.Client) (*engine, error) {
	e := &engine{host: cfg.host()}
	u, err := client.ParseHostURL(e.host)
	if err != nil {
		return nil, err
	}
	e.rawBase = url.URL{Scheme: "http", Host: u.Host, Path: u.Path}
	switch {
	case u.Scheme == "unix" || u.Scheme == "npipe":
		e.rawBase = url.URL{Scheme: "http", Host: client.DummyHost}
	case cfg.tls() != nil || u.Scheme == "https":
		e.rawBase.Scheme = "https"
	}
	base := override
	if base == nil {
		t, err := cfg.transport()
		if err != nil {
			return nil, err
		}
		base = &http.Client{Transport: t, CheckRedirect: client.CheckRedirect}
	}
	noting := *base
	noting.Transport = share.Noting(cmp.Or(base.Transport, http.DefaultTransport))
	e.raw = &noting
	// The version is the Engine's or ours, whichever is older; it is found out
	// by the first call.
	e.api, err = client.New(
		client.WithHTTPClient(base),
		client.WithHTTPResponseHook(share.NoteResponse),
		client.WithHost(e.host),
		client.WithAPIVersionFromEnv(),
		client.WithUserAgent("alertscaler"),
	)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// negotiate settles the API version, once. The client would do so itself, but
// behind a lock that knows no context, and it would go on without a version
// where the Engine gave no answer.
func (e *engine) negotiate(ctx context.Context) error {
	if e.negotiated.Load() {
		return nil
	}
	if err := e.negotiating.Lock(ctx); err != nil {
		return err
	}
	defer e.negotiating.Unlock()
	if e.negotiated.Load() {
		return nil
	}
	if _, err := e.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return err
	}
	e.negotiated.Store(true)
	return nil
}

func (e *engine) close() {
	_ = e.api.Close()
	e.raw.CloseIdleConnections()
}
