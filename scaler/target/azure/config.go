package azure

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Names as Azure allows them, as long as they may be. Letters of any script may
// be in that of a group. The lengths are no part of the expressions, which would
// have the letters of all scripts in them ninety times.
var (
	groupRule = regexp.MustCompile(`^[\p{L}\p{N}_().-]+$`)
	nameRule  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$`)
)

const (
	longestGroup = 90
	longestName  = 64
)

// Config is the configuration of a scale set, under the key azure_vmss.
type Config struct {
	Access `yaml:",inline"`
	// ResourceGroup and Name say which one.
	ResourceGroup string `yaml:"resource_group"`
	Name          string `yaml:"name"`
	// AllowOtherOwners scales it even where an autoscale setting or a cluster
	// sets the same number, each undoing the other.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

var (
	_ target.VictimsConfig   = (*Config)(nil)
	_ config.DirectorySetter = (*Config)(nil)
)

// Platform implements target.Config.
func (*Config) Platform() string { return "azure_vmss" }

// ChoosesVictims implements target.VictimsConfig.
func (*Config) ChoosesVictims() bool { return true }

// Identity implements target.Config. Azure does not tell names by their case.
func (c *Config) Identity() string {
	id := "azure_vmss " + strings.ToLower(c.subscription()+"/"+c.ResourceGroup+"/"+c.Name)
	if e := c.endpoint(); e != publicEndpoint {
		id += " at " + e
	}
	return id
}

// Validate implements target.Config. It asks nobody.
func (c *Config) Validate() error {
	fits := len(c.Name) <= longestName && nameRule.MatchString(c.Name)
	return cmp.Or(
		target.Check(c.subscription() != "", "subscription_id", "must be the ID of a subscription, here or in AZURE_SUBSCRIPTION_ID"),
		target.Check(c.ResourceGroup != "", "resource_group", "must name the resource group that the scale set is in"),
		target.Check(validGroup(c.ResourceGroup), "resource_group", "%q is no name of a resource group", c.ResourceGroup),
		target.Check(c.Name != "", "name", "must name the scale set"),
		target.Check(fits, "name", "%q is no name of a scale set", c.Name),
		c.validate(),
	)
}

func validGroup(name string) bool {
	return utf8.RuneCountInString(name) <= longestGroup && groupRule.MatchString(name) && !strings.HasSuffix(name, ".")
}

// New implements target.Config. Nothing is dialed.
func (c *Config) New(o target.Options) (target.Target, error) {
	a, release, err := c.clients.get(c.Access, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.describe(), err)
	}
	s := &scaleSet{
		account: a, group: c.ResourceGroup, name: c.Name, what: c.describe(),
		allowOthers: c.AllowOtherOwners, logger: o.Log(),
	}
	leave := a.join(c.ResourceGroup)
	s.OnClose = func() { leave(); release() }
	return s, nil
}

// describe names the target in errors: scale set shop/web.
func (c *Config) describe() string { return "scale set " + c.ResourceGroup + "/" + c.Name }
