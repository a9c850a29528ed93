package aliyun

import (
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
	if !regionRule.MatchString(a.Region) {
		return &target.FieldError{Field: "region", Msg: fmt.Sprintf("%q is not a region such as cn-hangzhou", a.Region)}
	}
	if a.Protocol != "https" && a.Protocol != "http" {
		return &target.FieldError{Field: "protocol", Msg: fmt.Sprintf("%q is neither https nor http", a.Protocol)}
	}
	for _, e := range []struct{ field, host string }{{"endpoint", a.Endpoint}, {"sts_endpoint", a.STSEndpoint}} {
		if u, err := url.Parse("//" + e.host); e.host != "" && (err != nil || u.Host != e.host || u.Hostname() == "" || u.User != nil) {
			return &target.FieldError{Field: e.field, Msg: "is not a host such as ess.cn-hangzhou.aliyuncs.com; http or https belongs in protocol"}
		}
	}
	switch {
	case a.AccessKeyID == "" && a.AccessKeySecret != "":
		return &target.FieldError{Field: "access_key_secret", Msg: "is the secret of no access_key_id"}
	case a.AccessKeyID != "" && a.AccessKeySecret == "":
		return &target.FieldError{Field: "access_key_id", Msg: "has no access_key_secret"}
	case a.RoleARN != "" && !roleRule.MatchString(a.RoleARN):
		return &target.FieldError{Field: "role_arn", Msg: "is not a role such as acs:ram::123456789012:role/alertscaler"}
	case a.RoleARN == "" && a.ExternalID != "":
		return &target.FieldError{Field: "external_id", Msg: "is for a role_arn, and there is none"}
	case a.RoleARN == "" && a.STSEndpoint != "":
		return &target.FieldError{Field: "sts_endpoint", Msg: "is for a role_arn, and there is none"}
	}
	return nil
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

var (
	_ target.Config        = (*Config)(nil)
	_ target.VictimsConfig = (*Config)(nil)
)

// Platform implements target.Config.
func (*Config) Platform() string { return "aliyun_ess" }

// Identity implements target.Config. Whose credentials and which endpoint are
// not part of it: an ID is given once.
func (c *Config) Identity() string {
	return fmt.Sprintf("aliyun_ess %s %s", c.Region, c.ScalingGroupID)
}

// Validate implements target.Config. It asks nobody.
func (c *Config) Validate() error {
	if !groupRule.MatchString(c.ScalingGroupID) {
		return &target.FieldError{Field: "scaling_group_id", Msg: fmt.Sprintf("%q is not the ID of a scaling group such as asg-bp18p2yfxow2dloq0001; a name will not do", c.ScalingGroupID)}
	}
	return c.validate()
}

// ChoosesVictims implements target.VictimsConfig.
func (*Config) ChoosesVictims() bool { return true }

// New implements target.Config. Nothing is dialed.
func (c *Config) New(o target.Options) (target.Target, error) {
	a, release, err := c.clients.get(c.Access, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of region %s: %w", c.Region, err)
	}
	return newGroup(c, o, a, release), nil
}

// what names the group in errors.
func (c *Config) what() string { return "scaling group " + c.ScalingGroupID }
