package aws

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Clients builds one set of clients an account, region and role, however many
// targets there are: they share connections, credentials and what is read. The
// zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	mu   sync.Mutex
	open map[clientKey]*sharedAccount
}

type sharedAccount struct {
	*account
	users int
}

// clientKey is all that makes two sets of clients different. The shared files
// are there with their content, so that a reload after they were changed makes
// new clients.
type clientKey struct {
	Connection
	files [sha256.Size]byte
}

// account is what all targets of one account, region and role have in common.
type account struct {
	region      string
	credentials *credentials
	api         api
	groups      *batch[group]
	services    *batch[service]
}

// NewASGConfig returns an aws_asg configuration with its defaults.
func (c *Clients) NewASGConfig() target.Config { return &ASGConfig{clients: c} }

// NewECSConfig returns an aws_ecs configuration with its defaults.
func (c *Clients) NewECSConfig() target.Config {
	return &ECSConfig{Cluster: defaultCluster, clients: c}
}

// get returns the clients of a connection, and the function that gives them
// back. Nothing is dialed. override, where not nil, carries the requests, and
// such clients are never shared.
func (c *Clients) get(conn Connection, override *http.Client) (*account, func(), error) {
	if c == nil || override != nil {
		a, err := newAccount(conn, override)
		return a, func() {}, err
	}
	key := clientKey{Connection: conn, files: sharedFiles()}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[key]
	if !ok {
		a, err := newAccount(conn, nil)
		if err != nil {
			return nil, nil, err
		}
		s = &sharedAccount{account: a}
		if c.open == nil {
			c.open = make(map[clientKey]*sharedAccount)
		}
		c.open[key] = s
	}
	s.users++
	return s.account, sync.OnceFunc(func() { c.release(key) }), nil
}

func (c *Clients) release(key clientKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.open[key]
	if s.users--; s.users == 0 {
		delete(c.open, key)
	}
}

// sharedFiles is a sum of the files that the SDK reads when clients are built.
func sharedFiles() [sha256.Size]byte {
	h := sha256.New()
	for _, f := range []struct{ env, standard string }{
		{"AWS_CONFIG_FILE", config.DefaultSharedConfigFilename()},
		{"AWS_SHARED_CREDENTIALS_FILE", config.DefaultSharedCredentialsFilename()},
	} {
		// One that cannot be read is the SDK's to complain of.
		b, _ := os.ReadFile(cmp.Or(os.Getenv(f.env), f.standard))
		one := sha256.Sum256(b)
		h.Write(one[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// newAccount reads the shared configuration files and dials nothing.
func newAccount(conn Connection, override *http.Client) (*account, error) {
	options := []func(*config.LoadOptions) error{
		config.WithAppID("alertscaler"),
		// What it warns of it returns as well, or nobody can do anything about.
		config.WithLogger(logging.Nop{}),
		// The engine does all retrying.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
	}
	if conn.Region != "" {
		options = append(options, config.WithRegion(conn.Region))
	}
	if conn.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(conn.Profile))
	}
	if conn.Endpoint != "" {
		options = append(options, config.WithBaseEndpoint(conn.Endpoint))
	}
	if override == nil {
		// The SDK follows redirects, and its credentials go with them.
		options = append(options, config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.Proxy = outgoing.Proxy(t.Proxy)
		})))
	} else {
		options = append(options, config.WithHTTPClient(override))
	}
	cfg, err := config.LoadDefaultConfig(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("no region is known: neither region, AWS_REGION nor the profile names one")
	}
	cfg.Credentials = newCredentials(cfg.Credentials)
	if conn.RoleARN != "" {
		cfg.Credentials = newCredentials(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), conn.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "alertscaler"
			if conn.SessionName != "" {
				o.RoleSessionName = conn.SessionName
			}
			if conn.ExternalID != "" {
				o.ExternalID = &conn.ExternalID
			}
		}))
	}
	a := &account{
		region:      cfg.Region,
		credentials: cfg.Credentials.(*credentials),
		api:         newAPI(cfg),
	}
	a.groups = newBatch(a.describeGroups, groupsPerCall)
	a.services = newBatch(a.describeServices, servicesPerCall)
	return a, nil
}
