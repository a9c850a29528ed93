package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Clients builds one set of clients an account, region and role, however many
// targets there are: they share connections, credentials and what is read. The
// zero value is ready; all methods are safe for concurrent use.
type Clients struct {
	pool share.Pool[Connection, *account]

	// Tests have requests carried by it, on clients that are shared as all are.
	transport *http.Client
}

// account is what all targets of one account, region and role have in common.
type account struct {
	region      string
	credentials *credentials
	api         api
	groups      *share.Readings[key, *group]
	services    *share.Readings[key, *service]
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
		c = &Clients{transport: override}
	}
	return share.Lend(&c.pool, conn, func() (*account, error) { return newAccount(conn, c.transport) }, nil)
}

// FilesSum implements target.Files: the files are those that the SDK reads when
// clients are built.
func (Connection) FilesSum() string {
	return share.Files(
		cmp.Or(os.Getenv("AWS_CONFIG_FILE"), config.DefaultSharedConfigFilename()),
		cmp.Or(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), config.DefaultSharedCredentialsFilename()),
		os.Getenv("AWS_CA_BUNDLE"),
	).String()
}

// newAccount reads the shared configuration files and dials nothing.
func newAccount(conn Connection, override *http.Client) (*account, error) {
	var client aws.HTTPClient = override
	if override == nil {
		// The SDK follows redirects, and its credentials go with them.
		client = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.Proxy = outgoing.Proxy(t.Proxy) })
	}
	cfg, err := config.LoadDefaultConfig(context.Background(),
		config.WithAppID("alertscaler"),
		// What it warns of it returns as well, or nobody can do anything about.
		config.WithLogger(logging.Nop{}),
		// The engine does all retrying.
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithHTTPClient(client),
		// What is empty of these has no effect.
		config.WithRegion(conn.Region), config.WithSharedConfigProfile(conn.Profile), config.WithBaseEndpoint(conn.Endpoint),
	)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("no region is known: neither region, AWS_REGION nor the profile names one")
	}
	cfg.Credentials = newCredentials(cfg.Credentials)
	if conn.RoleARN != "" {
		cfg.Credentials = newCredentials(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), conn.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = cmp.Or(conn.SessionName, "alertscaler")
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
	a.groups = &share.Readings[key, *group]{Fetch: a.describeGroups, PerCall: groupsPerCall, Age: freshFor}
	a.services = &share.Readings[key, *service]{
		Fetch: a.describeServices, PerCall: servicesPerCall, Age: freshFor,
		Together: func(a, b key) bool { return a.cluster == b.cluster },
	}
	return a, nil
}
