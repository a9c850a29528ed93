package docker

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Clients builds one client an Engine, however many targets it has. The zero
// value is ready; all methods are safe for concurrent use.
type Clients struct {
	pool share.Pool[clientKey, *engine]
}

// clientKey is what of a configuration makes two clients different.
type clientKey struct {
	host string
	tls  config.TLSConfig
}

// FilesSum implements target.Files: the files are the certificates and the key.
func (k clientKey) FilesSum() string { return share.Files(share.TLS(&k.tls)...).String() }

// lend returns the client of an Engine, and what gives it back. Nothing is
// dialed. override, where not nil, is used instead of what the configuration
// says of TLS, and is never shared.
func (c *Clients) lend(cfg *HostConfig, override *http.Client) (*engine, share.OnClose, error) {
	if c == nil || override != nil {
		c = new(Clients)
	}
	key := clientKey{cfg.host(), share.Value(cfg.tls())}
	e, release, err := share.Lend(&c.pool, key, func() (*engine, error) { return newEngine(cfg, override) }, func(e *engine) { e.close() })
	if err != nil {
		return nil, nil, fmt.Errorf("client of %s: %w", key.host, err)
	}
	return e, release, nil
}

// engine is a client of one Docker Engine, safe for concurrent use.
type engine struct {
	host  string
	api   *client.Client
	close func()

	negotiating share.Lock
	negotiated  bool // guarded by negotiating
}

func newEngine(cfg *HostConfig, override *http.Client) (*engine, error) {
	base := override
	if base == nil {
		t, err := cfg.transport()
		if err != nil {
			return nil, err
		}
		base = &http.Client{Transport: t, CheckRedirect: client.CheckRedirect}
	}
	own := *base
	own.Transport = share.Noting(verbatim{cmp.Or(base.Transport, http.DefaultTransport)})
	scheme := "http"
	if cfg.tls() != nil || strings.HasPrefix(cfg.host(), "https:") {
		scheme = "https"
	}
	// The version is the Engine's or ours, whichever is older; it is found out
	// by the first call.
	api, err := client.New(
		client.WithHost(cfg.host()),
		client.WithHTTPClient(&own), // after WithHost, which knows transports of one type only
		client.WithScheme(scheme),
		client.WithAPIVersionFromEnv(),
		client.WithUserAgent("alertscaler"),
	)
	if err != nil {
		return nil, err
	}
	return &engine{host: cfg.host(), api: api, close: base.CloseIdleConnections}, nil
}

// negotiate settles the API version, once. The client would do so itself, but
// behind a lock that knows no context, and it would go on without a version
// where the Engine gave no answer.
func (e *engine) negotiate(ctx context.Context) error {
	if err := e.negotiating.Lock(ctx); err != nil {
		return err
	}
	defer e.negotiating.Unlock()
	if e.negotiated {
		return nil
	}
	_, err := e.api.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	e.negotiated = err == nil
	return err
}

// containers lists those that the options let through.
func (e *engine) containers(ctx context.Context, op string, o client.ContainerListOptions) ([]container.Summary, error) {
	all, err := e.api.ContainerList(ctx, o)
	if err == nil && all.Items == nil {
		err = noAnswer("a list of containers")
	}
	return all.Items, e.failure(ctx, op, err)
}

// inspect reads a container. An error is as the client has it.
func (e *engine) inspect(ctx context.Context, id string) (container.InspectResponse, error) {
	res, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	c := res.Container
	if err == nil && (c.ID == "" || c.Name == "" || c.Config == nil || c.State == nil || c.HostConfig == nil || c.NetworkSettings == nil) {
		err = noAnswer("the description of a container")
	}
	return c, err
}

// bodyKey is that of a context whose requests have the value for a body, and
// not what the client library makes of its own types.
type bodyKey struct{}

// verbatim is the RoundTripper that sees to that.
type verbatim struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (v verbatim) RoundTrip(r *http.Request) (*http.Response, error) {
	if body, ok := r.Context().Value(bodyKey{}).([]byte); ok {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		r = r.Clone(r.Context())
		r.ContentLength = int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	return v.next.RoundTrip(r)
}
