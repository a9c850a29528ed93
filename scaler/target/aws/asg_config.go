package aws

import (
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
	switch {
	case c.Name == "":
		return &target.FieldError{Field: "name", Msg: "must name the Auto Scaling group"}
	case strings.HasPrefix(c.Name, "arn:"):
		return &target.FieldError{Field: "name", Msg: "must be the group's name, not its ARN"}
	case len(c.Name) > 255 || strings.ContainsRune(c.Name, ':') || strings.ContainsFunc(c.Name, unicode.IsControl):
		return &target.FieldError{Field: "name", Msg: fmt.Sprintf("%q is no name of an Auto Scaling group", c.Name)}
	}
	return c.validate()
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
