package gcp

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// defaultEndpoint is where the Compute Engine API is.
const defaultEndpoint = "https://compute.googleapis.com"

// Config is the configuration of a managed instance group, under the key
// gcp_mig.
type Config struct {
	Account `yaml:",inline"`
	// Zone or Region the group is in, exactly one of the two.
	Zone   string `yaml:"zone,omitempty"`
	Region string `yaml:"region,omitempty"`
	Name   string `yaml:"name"`
	// AllowOtherOwners scales it even where an autoscaler sets the same number,
	// each undoing the other.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

// Account says whose groups they are and who asks.
type Account struct {
	// Project is the project's ID.
	Project string `yaml:"project"`
	// CredentialsFile is a file with a service account's key, or a
	// configuration of workload identity federation. Empty: Application Default
	// Credentials.
	CredentialsFile string `yaml:"credentials_file,omitempty"`
	// ImpersonateServiceAccount is the e-mail address of a service account to
	// act as. The credentials need roles/iam.serviceAccountTokenCreator on it.
	ImpersonateServiceAccount string `yaml:"impersonate_service_account,omitempty"`
	// Endpoint is the address of the API, up to /compute/v1/ exclusively.
	// Empty: https://compute.googleapis.com.
	Endpoint string `yaml:"endpoint,omitempty"`
}

var (
	_ target.VictimsConfig   = (*Config)(nil)
	_ config.DirectorySetter = (*Config)(nil)
)

// SetDirectory makes relative file names relative to dir.
func (c *Account) SetDirectory(dir string) {
	c.CredentialsFile = target.JoinPath(dir, c.CredentialsFile)
}

// Platform implements target.Config.
func (*Config) Platform() string { return "gcp_mig" }

// ChoosesVictims implements target.VictimsConfig.
func (*Config) ChoosesVictims() bool { return true }

// Identity implements target.Config. Who asks is not part of it: it is the
// same group for everyone.
func (c *Config) Identity() string {
	id := "gcp_mig " + c.place().group(c.Name)
	if e := c.endpoint(); e != defaultEndpoint {
		id += " at " + e
	}
	return id
}

// place is where the group is.
func (c *Config) place() place {
	return place{project: c.Project, zone: c.Zone, region: c.Region}
}

// endpoint is that of the API after the defaults, without a slash at its end.
func (c *Account) endpoint() string {
	return strings.TrimSuffix(cmp.Or(c.Endpoint, defaultEndpoint), "/")
}

// The rules of Compute Engine for names. Projects of old may have a domain
// before them: example.com:shop.
var (
	nameRule    = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)
	projectRule = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z0-9][-a-z0-9]{0,61}[a-z0-9]$`)
	zoneRule    = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+-[a-z0-9]+$`)
	regionRule  = regexp.MustCompile(`^[a-z]+-[a-z0-9-]+$`)
)

// Validate implements target.Config. It asks nobody.
func (c *Config) Validate() error {
	return cmp.Or(
		c.validate(),
		target.Check(c.Zone != "" || c.Region != "", "zone", "either zone or region must say where the group is"),
		target.Check(c.Zone == "" || c.Region == "", "zone", "a group is in a zone or in a region, and both are there"),
		target.Check(c.Zone == "" || zoneRule.MatchString(c.Zone), "zone", "%q is not a zone such as europe-west1-b", c.Zone),
		target.Check(c.Region == "" || regionRule.MatchString(c.Region), "region", "%q is not a region such as europe-west1", c.Region),
		target.Check(c.Name != "", "name", "must name a managed instance group"),
		target.Check(nameRule.MatchString(c.Name), "name", "%q is not a name that a group can have", c.Name),
	)
}

func (c *Account) validate() error {
	account := c.ImpersonateServiceAccount
	isEmail := strings.Contains(account, "@") && !strings.ContainsAny(account, "/ ")
	u, err := url.Parse(c.endpoint())
	isAddress := err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && strings.Trim(u.Path, "/") == "" && u.RawQuery == ""
	return cmp.Or(
		target.Check(c.Project != "", "project", "must be the ID of a project"),
		target.Check(projectRule.MatchString(c.Project), "project", "%q is not the ID of a project", c.Project),
		target.Check(account == "" || isEmail, "impersonate_service_account", "%q is not the e-mail address of a service account", account),
		target.Check(isAddress, "endpoint", "is not an address such as "+defaultEndpoint),
		target.Check(u == nil || u.User == nil, "endpoint", "must not have credentials in it"),
	)
}

// New implements target.Config. Nothing is dialed, and no credentials are
// looked for before the first call.
func (c *Config) New(o target.Options) (target.Target, error) {
	cl, release, err := c.clients.get(c.Account, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.endpoint(), err)
	}
	g := &group{cfg: *c, key: groupKey{c.place(), c.Name}, client: cl}
	g.what = "instance group " + g.key.location() + "/" + c.Name
	g.attempt.Within = retriesFor
	unuse := cl.groups.Use(g.key)
	g.OnClose = func() { unuse(); release() }
	return g, nil
}
