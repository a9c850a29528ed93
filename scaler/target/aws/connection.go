package aws

import (
	"cmp"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Connection says which account and region, and who we are there. Whatever is
// absent comes from the SDK's default chain: environment, shared configuration
// files, web identity, the container's or the instance's role.
type Connection struct {
	// Region such as eu-central-1. Empty: AWS_REGION, AWS_DEFAULT_REGION, or
	// the profile's.
	Region string `yaml:"region,omitempty"`
	// Profile of the shared configuration files; empty: AWS_PROFILE, else
	// default.
	Profile string `yaml:"profile,omitempty"`
	// RoleARN is a role to assume with the credentials found, with ExternalID
	// and SessionName where its trust policy asks for them. The session is
	// called alertscaler by default.
	RoleARN     string `yaml:"role_arn,omitempty"`
	ExternalID  string `yaml:"external_id,omitempty"`
	SessionName string `yaml:"session_name,omitempty"`
	// Endpoint is the URL that all services are asked at instead of their own,
	// such as a proxy's. Empty: AWS' endpoints, or AWS_ENDPOINT_URL.
	Endpoint string `yaml:"endpoint,omitempty"`
}

var (
	regionRule  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-\d+$`)
	roleRule    = regexp.MustCompile(`^arn:[a-z-]+:iam::\d{12}:role/.+$`)
	sessionRule = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// validate reports what is wrong with the values. It asks nobody.
func (c *Connection) validate() error {
	u, err := url.Parse(c.Endpoint)
	isURL := err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	return cmp.Or(
		target.Check(c.Region == "" || regionRule.MatchString(c.Region), "region", "is not a region such as eu-central-1"),
		target.Check(c.RoleARN == "" || roleRule.MatchString(c.RoleARN), "role_arn", "is not the ARN of a role, such as arn:aws:iam::123456789012:role/alertscaler"),
		target.Check(c.ExternalID == "" || c.RoleARN != "", "external_id", "goes with role_arn, which is absent"),
		target.Check(c.SessionName == "" || c.RoleARN != "", "session_name", "goes with role_arn, which is absent"),
		target.Check(c.SessionName == "" || sessionRule.MatchString(c.SessionName), "session_name", "must be 2 to 64 letters, digits and +=,.@-_"),
		target.Check(c.Endpoint == "" || isURL, "endpoint", "is not a URL such as https://vpce-1.autoscaling.eu-central-1.vpce.amazonaws.com"),
		target.Check(err != nil || u.User == nil, "endpoint", "must not have credentials in it"),
	)
}

// region is the region as far as it can be told without the shared
// configuration files.
func (c *Connection) region() string {
	return cmp.Or(c.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
}

// identity begins the identity of what is in this account and region.
func (c *Connection) identity() string {
	var s strings.Builder
	for _, part := range []struct{ key, value string }{
		{"profile", c.Profile}, {"role_arn", c.RoleARN}, {"endpoint", strings.TrimSuffix(c.Endpoint, "/")},
	} {
		if part.value != "" {
			s.WriteString(" " + part.key + "=" + part.value)
		}
	}
	return s.String() + " " + c.region() + "/"
}
