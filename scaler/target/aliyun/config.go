package aliyun

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Access says where the API is and who we are. Two that are equal share one
// client.
type Access struct {
	// Region of the scaling groups: cn-hangzhou.
	Region string `yaml:"region"`
	// Endpoint is the host of Auto Scaling's API, with a port or without.
	// Empty: the region's public one.
	Endpoint string `yaml:"endpoint,omitempty"`
	// STSEndpoint is that of the Security Token Service, which RoleARN needs.
	// Empty: the region's public one.
	STSEndpoint string `yaml:"sts_endpoint,omitempty"`
	// Protocol of both: https, or http.
	Protocol string `yaml:"protocol,omitempty"`
	// AccessKeyID and AccessKeySecret are an access key. Empty: the SDK's
	// default chain, which is the environment, an OIDC token (RRSA), the
	// configuration files, the RAM role of the ECS instance.
	AccessKeyID     string        `yaml:"access_key_id,omitempty"`
	AccessKeySecret config.Secret `yaml:"access_key_secret,omitempty"`
	// RoleARN is a RAM role to assume with these credentials:
	// acs:ram::123456789012:role/alertscaler.
	RoleARN string `yaml:"role_arn,omitempty"`
	// ExternalID is what the role's trust policy may ask for.
	ExternalID string `yaml:"external_id,omitempty"`
}

var (
	regionRule = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
	groupRule  = regexp.MustCompile(`^asg-[A-Za-z0-9_-]+$`)
	roleRule   = regexp.MustCompile(`^acs:ram::\d+:role/\S+$`)
)

func (a *Access) validate() error {
	return cmp.Or(
		target.Check(regionRule.MatchString(a.Region), "region", "%q is not a region such as cn-hangzhou", a.Region),
		target.Check(a.Protocol == "https" || a.Protocol == "http", "protocol", "%q is neither https nor http", a.Protocol),
		checkHost("endpoint", a.Endpoint),
		checkHost("sts_endpoint", a.STSEndpoint),
		target.Check(a.AccessKeySecret == "" || a.AccessKeyID != "", "access_key_secret", "is the secret of no access_key_id"),
		target.Check(a.AccessKeyID == "" || a.AccessKeySecret != "", "access_key_id", "has no access_key_secret"),
		target.Check(a.RoleARN == "" || roleRule.MatchString(a.RoleARN), "role_arn", "is not a role such as acs:ram::123456789012:role/alertscaler"),
		target.Check(a.ExternalID == "" || a.RoleARN != "", "external_id", "is for a role_arn, and there is none"),
		target.Check(a.STSEndpoint == "" || a.RoleARN != "", "sts_endpoint", "is for a role_arn, and there is none"),
	)
}

func checkHost(field, host string) error {
	u, err := url.Parse("//" + host)
	ok := err == nil && u.Host == host && u.Hostname() != "" && u.User == nil
	return target.Check(host == "" || ok, field, "is not a host such as ess.cn-hangzhou.aliyuncs.com; http or https belongs in protocol")
}

// Config is the configuration of a scaling group, under the key aliyun_ess.
type Config struct {
	// ScalingGroupID is the group: asg-bp18p2yfxow2dloq0001.
	ScalingGroupID string `yaml:"scaling_group_id"`
	Access         `yaml:",inline"`
	// AllowOtherOwners scales it even where event-triggered tasks do, each
	// undoing the other.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

var _ target.VictimsConfig = (*Config)(nil)

// Platform implements target.Config.
func (*Config) Platform() string { return "aliyun_ess" }

// Identity implements target.Config. Whose credentials and which endpoint are
// not part of it: an ID is given once.
func (c *Config) Identity() string {
	return fmt.Sprintf("aliyun_ess %s %s", c.Region, c.ScalingGroupID)
}

// Validate implements target.Config. It asks nobody.
func (c *Config) Validate() error {
	const notOne = "%q is not the ID of a scaling group such as asg-bp18p2yfxow2dloq0001; a name will not do"
	return cmp.Or(target.Check(groupRule.MatchString(c.ScalingGroupID), "scaling_group_id", notOne, c.ScalingGroupID), c.validate())
}

// ChoosesVictims implements target.VictimsConfig.
func (*Config) ChoosesVictims() bool { return true }

// New implements target.Config. Nothing is dialed.
func (c *Config) New(o target.Options) (target.Target, error) {
	a, release, err := c.clients.get(c.Access, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of region %s: %w", c.Region, err)
	}
	g := &group{id: c.ScalingGroupID, what: "scaling group " + c.ScalingGroupID, allowOthers: c.AllowOtherOwners, logger: o.Log(), account: a}
	var leave func()
	g.member, leave = a.join(g.id)
	g.OnClose = func() { leave(); release() }
	return g, nil
}
