package kubernetes

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Clients builds one client a cluster and user, however many targets there are.
// The zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	pool share.Pool[clientKey, *cluster]
	// named has for a clientKey which files its kubeconfigs name.
	named sync.Map
}

// clientKey is what of a configuration makes two clients different. clients are
// those that the client is one of; nil: it is alone.
type clientKey struct {
	kubeconfig, context string
	clients             *Clients
}

// named are the files that kubeconfigs of this content name.
type named struct {
	content share.Sum
	files   []string
}

// NewConfig returns a kubernetes configuration with its defaults.
func (c *Clients) NewConfig() target.Config {
	return &Config{APIVersion: "apps/v1", Kind: "Deployment", clients: c}
}

// lend returns the client of a cluster, and what gives it back. Nothing is
// dialed. override, where not nil, is used instead of what the kubeconfig says of
// TLS and credentials, and is never shared.
func (c *Clients) lend(kubeconfig, context string, override *http.Client) (*cluster, share.OnClose, error) {
	if c == nil || override != nil {
		c = new(Clients)
	}
	return share.Lend(&c.pool, clientKey{kubeconfig, context, c}, func() (*cluster, error) {
		cfg, err := load(kubeconfig, context)
		if err != nil {
			return nil, err
		}
		return newCluster(cfg, override)
	}, func(cl *cluster) { cl.close() })
}

// FilesSum implements target.Files. The files are the kubeconfigs and those that
// they name for this context: certificates, keys and tokens. client-go reads some
// of these again by itself, but not all, and not at once.
func (k clientKey) FilesSum() string {
	if k.clients == nil {
		k.clients = new(Clients)
	}
	kubeconfigs := loadingRules(k.kubeconfig).GetLoadingPrecedence()
	if inPod(k.kubeconfig, k.context) {
		kubeconfigs = nil
	}
	content := share.Files(kubeconfigs...)
	known, _ := k.clients.named.Load(k)
	now, ok := known.(named)
	if !ok || now.content != content {
		now = named{content: content}
		// One that cannot be read is for whoever builds the client to complain of.
		if cfg, err := load(k.kubeconfig, k.context); err == nil {
			now.files = []string{cfg.CAFile, cfg.CertFile, cfg.KeyFile, cfg.BearerTokenFile}
		}
		k.clients.named.Store(k, now)
	}
	return share.Files(slices.Concat(kubeconfigs, now.files)...).String()
}

// loadingRules say which kubeconfigs are read, see Config.Kubeconfig.
func loadingRules(kubeconfig string) *clientcmd.ClientConfigLoadingRules {
	r := clientcmd.NewDefaultClientConfigLoadingRules()
	r.ExplicitPath = kubeconfig
	r.WarnIfAllMissing = false
	return r
}

// inPod reports whether the pod's own service account is used.
func inPod(kubeconfig, context string) bool {
	return kubeconfig == "" && context == "" &&
		os.Getenv("KUBERNETES_SERVICE_HOST") != "" && os.Getenv("KUBERNETES_SERVICE_PORT") != ""
}

// load finds out where the cluster is, see Config.Kubeconfig.
func load(kubeconfig, context string) (*rest.Config, error) {
	if inPod(kubeconfig, context) {
		return rest.InClusterConfig()
	}
	rules := loadingRules(kubeconfig)
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if len(raw.Clusters) == 0 {
		return nil, fmt.Errorf("no kubeconfig names a cluster (looked at %q), and this is no pod", rules.GetLoadingPrecedence())
	}
	cfg, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	return cfg, nil
}
