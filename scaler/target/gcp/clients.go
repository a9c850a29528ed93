package gcp

import (
	"crypto/sha256"
	"net/http"
	"os"
	"sync"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Clients builds one client for each endpoint and set of credentials, however
// many targets there are. The zero value is ready; all methods are safe for
// concurrent use.
type Clients struct {
	mu   sync.Mutex
	open map[clientKey]*sharedClient
}

type sharedClient struct {
	*client
	users int
}

// clientKey is all that makes two clients different. The file of credentials is
// there with its content, so that a reload after it was changed makes a new
// client.
type clientKey struct {
	endpoint, credentials, impersonate string
	content                            [sha256.Size]byte
}

// NewConfig returns a gcp_mig configuration with its defaults.
func (c *Clients) NewConfig() target.Config { return &Config{clients: c} }

// NewDiscoveryConfig returns a configuration of a discovery with its defaults.
func (c *Clients) NewDiscoveryConfig() target.DiscoveryConfig {
	return &DiscoveryConfig{clients: c}
}

// get returns the client of an account, and the function that gives it back.
// Nothing is dialed. Requests go through override where it is not nil; such a
// client is never shared.
func (c *Clients) get(a Account, override *http.Client) (*client, func(), error) {
	if c == nil || override != nil {
		cl, err := newClient(a, override)
		if err != nil {
			return nil, nil, err
		}
		return cl, cl.close, nil
	}
	key := clientKey{endpoint: a.endpoint(), credentials: a.CredentialsFile, impersonate: a.ImpersonateServiceAccount}
	// A file that is not there yet is looked for again with the first call.
	if b, err := os.ReadFile(a.CredentialsFile); err == nil {
		key.content = sha256.Sum256(b)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[key]
	if !ok {
		cl, err := newClient(a, nil)
		if err != nil {
			return nil, nil, err
		}
		s = &sharedClient{client: cl}
		if c.open == nil {
			c.open = make(map[clientKey]*sharedClient)
		}
		c.open[key] = s
	}
	s.users++
	return s.client, sync.OnceFunc(func() { c.release(key) }), nil
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
