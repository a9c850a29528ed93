package azure

import (
	"cmp"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// errNoSubscription is what a discovery may come to that is valid as it is
// written.
var errNoSubscription = errors.New("no subscription: subscription_id and AZURE_SUBSCRIPTION_ID are both empty")

// Clients builds one account a subscription and identity, however many targets
// there are. The zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	pool share.Pool[Access, *account]

	// Tests use another transport and less patience, on accounts that are
	// shared as all are.
	transport  *http.Client
	settledFor time.Duration
}

// NewConfig returns an azure_vmss configuration with its defaults.
func (c *Clients) NewConfig() target.Config { return &Config{clients: c} }

// NewDiscoveryConfig returns a configuration of a discovery with its defaults.
func (c *Clients) NewDiscoveryConfig() target.DiscoveryConfig { return &DiscoveryConfig{clients: c} }

// get returns the account of an Access, and the function that gives it back.
// Nothing is dialed. override, where not nil, is the transport, and then the
// account is never shared.
func (c *Clients) get(access Access, override *http.Client) (*account, func(), error) {
	access.SubscriptionID = access.subscription()
	if access.SubscriptionID == "" {
		return nil, nil, errNoSubscription
	}
	if c == nil || override != nil {
		c = &Clients{transport: override}
	}
	return share.Lend(&c.pool, access, func() (*account, error) {
		return newAccount(access, c.transport, cmp.Or(c.settledFor, settledFor))
	}, (*account).close)
}

// FilesSum implements target.Files: the files are those of the identity.
func (a Access) FilesSum() string {
	return share.Files(a.ClientSecretFile, os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH")).String()
}
