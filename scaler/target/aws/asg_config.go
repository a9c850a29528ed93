package aws

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// ASGConfig is the configuration of an Auto Scaling group, under the key
// aws_asg.
type ASGConfig struct {
	Connection `yaml:",inline"`
	// Name of the group.
	Name string `yaml:"name"`
	// AllowOtherOwners scales it even where a scaling policy or an autoscaler
	// of Kubernetes sets the same number, each undoing the other.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

var _ target.VictimsConfig = (*ASGConfig)(nil)

// Platform implements target.Config.
func (*ASGConfig) Platform() string { return "aws_asg" }

// Identity implements target.Config.
func (c *ASGConfig) Identity() string { return "aws_asg" + c.identity() + c.Name }

// Validate implements target.Config. It asks nobody.
func (c *ASGConfig) Validate() error {
	fits := len(c.Name) <= 255 && !strings.ContainsRune(c.Name, ':') && !strings.ContainsFunc(c.Name, unicode.IsControl)
	return cmp.Or(
		target.Check(c.Name != "", "name", "must name the Auto Scaling group"),
		target.Check(!strings.HasPrefix(c.Name, "arn:"), "name", "must be the group's name, not its ARN"),
		target.Check(fits, "name", "%q is no name of an Auto Scaling group", c.Name),
		c.validate(),
	)
}

// ChoosesVictims implements target.VictimsConfig.
func (*ASGConfig) ChoosesVictims() bool { return true }

// New implements target.Config. It reads the shared configuration files and
// dials nothing.
func (c *ASGConfig) New(o target.Options) (target.Target, error) {
	a, release, err := c.clients.get(c.Connection, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("clients of group %s: %w", c.Name, err)
	}
	t := &asgTarget{name: c.Name}
	t.account, t.allowOthers, t.failureStands = a, c.AllowOtherOwners, failureStands
	t.owner.Fetch, t.owner.Age = share.Only(t.scaledBy), unownedFor
	t.failures.Fetch, t.failures.Age = share.Only(t.launchFailure), activitiesEvery
	unuse := a.groups.Use(t.key())
	t.OnClose = func() { unuse(); release() }
	return t, nil
}
