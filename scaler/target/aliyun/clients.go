package aliyun

import (
	"cmp"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// How old what is shared may be, and how patient we are.
const (
	// snapshotAge is how old what was read of a group may be.
	snapshotAge = 2 * time.Second
	// alarmsAge is how old the list of event-triggered tasks may be.
	alarmsAge = time.Minute
	// followEvery is how often the activities of a group with an expected
	// number are looked at, while it does not have that number.
	followEvery = 10 * time.Second
	// showsWithin is how long a group may take to show what its activity, or a
	// request, has done.
	showsWithin = 30 * time.Second
)

// Clients builds one client an account and region, however many targets there
// are. The zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	pool share.Pool[Access, *account]

	// Tests have requests carried by it, on clients that are shared as all are,
	// and have less patience.
	transport                             *http.Client
	snapshotAge, followEvery, showsWithin time.Duration
}

// NewConfig returns an aliyun_ess configuration with its defaults.
func (c *Clients) NewConfig() target.Config {
	return &Config{Access: Access{Protocol: "https"}, clients: c}
}

// NewDiscoveryConfig returns a configuration of a discovery with its defaults.
func (c *Clients) NewDiscoveryConfig() target.DiscoveryConfig {
	return &DiscoveryConfig{Access: Access{Protocol: "https"}, clients: c}
}

// get returns the client of an account and region, and the function that gives
// it back. Nothing is dialed. override, where not nil, makes the requests, and
// such a client is never shared.
func (c *Clients) get(a Access, override *http.Client) (*account, func(), error) {
	if c == nil || override != nil {
		c = &Clients{transport: override}
	}
	return share.Lend(&c.pool, a, func() (*account, error) {
		s, err := newService(a, cmp.Or(c.transport, &http.Client{Transport: share.Transport()}))
		if err != nil {
			return nil, err
		}
		return newAccount(s, cmp.Or(c.snapshotAge, snapshotAge), cmp.Or(c.followEvery, followEvery), cmp.Or(c.showsWithin, showsWithin)), nil
	}, func(acc *account) { acc.http.CloseIdleConnections() })
}

// FilesSum implements target.Files: the files are those in which the SDK's chain
// finds credentials.
func (a Access) FilesSum() string {
	if a.AccessKeyID != "" {
		return share.Files().String()
	}
	home, _ := os.UserHomeDir() // without one it finds none there
	return share.Files(
		cmp.Or(os.Getenv("ALIBABA_CLOUD_CREDENTIALS_FILE"), filepath.Join(home, ".alibabacloud", "credentials")),
		cmp.Or(os.Getenv("ALIBABA_CLOUD_CONFIG_FILE"), filepath.Join(home, ".aliyun", "config.json")),
	).String()
}
