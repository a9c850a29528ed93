package gcp

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Clients builds one client for each endpoint and set of credentials, however
// many targets there are. The zero value is ready; all methods are safe for
// concurrent use.
type Clients struct {
	pool share.Pool[Account, *client]

	// Tests have requests carried by it, on clients that are shared as all are.
	transport *http.Client
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
		c = &Clients{transport: override}
	}
	// A client is for all projects.
	a.Project, a.Endpoint = "", a.endpoint()
	return share.Lend(&c.pool, a, func() (*client, error) { return newClient(a, c.transport) }, func(cl *client) { cl.close() })
}

// FilesSum implements target.Files: the file is that of the credentials, which
// the configuration names, or the environment, or gcloud left behind.
func (a Account) FilesSum() string {
	left := ""
	if home, err := os.UserHomeDir(); err == nil {
		left = filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
	}
	return share.Files(cmp.Or(a.CredentialsFile, os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"), left)).String()
}
