package docker

import (
	"net/http"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
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

// NewServiceConfig returns a docker_service configuration with its defaults.
func (c *Clients) NewServiceConfig() target.Config { return &ServiceConfig{clients: c} }

// NewContainerConfig returns a docker_container configuration with its
// defaults.
func (c *Clients) NewContainerConfig() target.Config { return &ContainerConfig{clients: c} }

// get returns a lease of the client of an Engine. Nothing is dialed. override,
// where not nil, is used instead of what the configuration says of TLS, and is
// never shared.
func (c *Clients) get(cfg *HostConfig, override *http.Client) (*share.Lease[*engine], error) {
	if c == nil || override != nil {
		e, err := newEngine(cfg, override)
		if err != nil {
			return nil, err
		}
		return share.Alone(e, (*engine).close), nil
	}
	key := clientKey{host: cfg.host()}
	if tls := cfg.tls(); tls != nil {
		key.tls = *tls
	}
	return c.pool.Get(key, cfg.sum(), func() (*engine, error) { return newEngine(cfg, nil) }, (*engine).close)
}
