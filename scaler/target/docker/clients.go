package docker

import (
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Clients builds one client an Engine, however many targets it has. The zero
// value is ready; all methods are safe for concurrent use.
type Clients struct {
	mu   sync.Mutex
	open map[clientKey]*sharedEngine
}

type sharedEngine struct {
	*engine
	users int
}

// clientKey is all that makes two clients different. The CA is there with its
// content, so that a reload after it was renewed makes a new client; client
// certificates are read at each handshake anyway.
type clientKey struct {
	host string
	tls  config.TLSConfig
	ca   string
}

// NewServiceConfig returns a docker_service configuration with its defaults.
func (c *Clients) NewServiceConfig() target.Config { return &ServiceConfig{clients: c} }

// NewContainerConfig returns a docker_container configuration with its
// defaults.
func (c *Clients) NewContainerConfig() target.Config { return &ContainerConfig{clients: c} }

// get returns the client of an Engine, and the function that gives it back.
// Nothing is dialed. override, where not nil, is used instead of what the
// configuration says of TLS, and is never shared.
func (c *Clients) get(cfg *HostConfig, override *http.Client) (*engine, func(), error) {
	if c == nil || override != nil {
		e, err := newEngine(cfg, override)
		if err != nil {
			return nil, nil, err
		}
		return e, e.close, nil
	}
	key := clientKey{host: cfg.host()}
	if tls := cfg.tls(); tls != nil {
		key.tls = *tls
		if tls.CAFile != "" {
			ca, err := os.ReadFile(tls.CAFile)
			if err != nil {
				return nil, nil, fmt.Errorf("tls_config: %w", err)
			}
			key.ca = string(ca)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[key]
	if !ok {
		e, err := newEngine(cfg, nil)
		if err != nil {
			return nil, nil, err
		}
		s = &sharedEngine{engine: e}
		if c.open == nil {
			c.open = make(map[clientKey]*sharedEngine)
		}
		c.open[key] = s
	}
	s.users++
	return s.engine, sync.OnceFunc(func() { c.release(key) }), nil
}

func (c *Clients) release(key clientKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.open[key]
	if s.users--; s.users == 0 {
		delete(c.open, key)
		s.close()
	}
}
