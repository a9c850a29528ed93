package kubernetes

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Clients builds one client a cluster and user, however many targets there are.
// The zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	mu   sync.Mutex
	open map[clientKey]*sharedCluster
}

type sharedCluster struct {
	*cluster
	users int
}

// clientKey is all that makes two clients different. The kubeconfig is there
// with its content, so that a reload after it was changed makes a new client;
// files that it names are read again by client-go itself.
type clientKey struct {
	kubeconfig, context string
	content             [sha256.Size]byte
}

// NewConfig returns a kubernetes configuration with its defaults.
func (c *Clients) NewConfig() target.Config {
	return &Config{APIVersion: "apps/v1", Kind: "Deployment", clients: c}
}

// get returns the client of a cluster, and the function that gives it back.
// Nothing is dialed. override, where not nil, is used instead of what the
// kubeconfig says of TLS and credentials, and is never shared.
func (c *Clients) get(kubeconfig, context string, override *http.Client) (*cluster, func(), error) {
	cfg, content, err := load(kubeconfig, context)
	if err != nil {
		return nil, nil, err
	}
	if c == nil || override != nil {
		cl, err := newCluster(cfg, override)
		if err != nil {
			return nil, nil, err
		}
		return cl, cl.close, nil
	}
	key := clientKey{kubeconfig: kubeconfig, context: context, content: content}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[key]
	if !ok {
		cl, err := newCluster(cfg, nil)
		if err != nil {
			return nil, nil, err
		}
		s = &sharedCluster{cluster: cl}
		if c.open == nil {
			c.open = make(map[clientKey]*sharedCluster)
		}
		c.open[key] = s
	}
	s.users++
	return s.cluster, sync.OnceFunc(func() { c.release(key) }), nil
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

// load finds out where the cluster is, see Config.Kubeconfig, and returns a sum
// of what it read.
func load(kubeconfig, context string) (*rest.Config, [sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	if kubeconfig == "" && context == "" {
		// The token and the CA are files that client-go reads again.
		cfg, err := rest.InClusterConfig()
		if err == nil || !errors.Is(err, rest.ErrNotInCluster) {
			return cfg, sum, err
		}
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	rules.WarnIfAllMissing = false
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, sum, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if len(raw.Clusters) == 0 {
		return nil, sum, fmt.Errorf("no kubeconfig names a cluster (looked at %q), and this is no pod", rules.GetLoadingPrecedence())
	}
	content, err := clientcmd.Write(raw)
	if err != nil {
		return nil, sum, fmt.Errorf("read the kubeconfig: %w", err)
	}
	cfg, err := loader.ClientConfig()
	if err != nil {
		return nil, sum, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return cfg, sha256.Sum256(content), nil
}
