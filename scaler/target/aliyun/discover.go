package aliyun

import (
	"context"
	"fmt"
	"regexp"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// tagPrefix is target.DiscoveryPrefix as tags of clouds have it.
const tagPrefix = "alertscaler:"

// policyName is what a policy may be called, with up to longestPolicyName
// characters.
var policyName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$`)

const longestPolicyName = 128

// DiscoveryConfig is the configuration of a discovery of scaling groups, under
// the key aliyun_ess.
type DiscoveryConfig struct {
	Access `yaml:",inline"`

	clients *Clients
}

var _ target.DiscoveryConfig = (*DiscoveryConfig)(nil)

// Platform implements target.DiscoveryConfig.
func (*DiscoveryConfig) Platform() string { return "aliyun_ess" }

// Validate implements target.DiscoveryConfig. It asks nobody.
func (c *DiscoveryConfig) Validate() error { return c.validate() }

// New implements target.DiscoveryConfig. Nothing is dialed.
func (c *DiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	a, release, err := c.clients.get(c.Access, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of region %s: %w", c.Region, err)
	}
	return share.NewDiscoverer(a, release, c.find), nil
}

// find finds groups. These are asked for by tag, since a list of all groups may
// miss one while others go.
func (c *DiscoveryConfig) find(ctx context.Context, a *account) ([]target.Discovered, error) {
	groups, err := a.taggedGroups(ctx, tagPrefix+"enable")
	if err != nil {
		return nil, failure(ctx, "list the tagged scaling groups of "+c.Region, err)
	}
	var out []target.Discovered
	for i := range groups {
		g := &groups[i]
		tags := make(map[string]string, len(g.Tags))
		for _, t := range g.Tags {
			tags[t.TagKey] = t.TagValue
		}
		labels, asks := share.Asking(tags, tagPrefix)
		if !asks || g.Lifecycle == groupDeleting {
			continue
		}
		name := g.Name // unique in a region, but may be Chinese
		if len(name) > longestPolicyName || !policyName.MatchString(name) {
			name = g.ID
		}
		out = append(out, target.Discovered{
			Name: name, ScaleTarget: name, What: fmt.Sprintf("scaling group %s (%s)", g.Name, g.ID), Labels: labels,
			Target: &Config{ScalingGroupID: g.ID, Access: c.Access, clients: c.clients},
		})
	}
	return out, nil
}
