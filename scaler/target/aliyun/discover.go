package aliyun

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// tagPrefix is target.DiscoveryPrefix as tags of clouds have it.
const tagPrefix = "alertscaler:"

// DiscoveryConfig is the configuration of a discovery of scaling groups, under
// the key aliyun_ess.
type DiscoveryConfig struct {
	Access `yaml:",inline"`

	clients *Clients
}

var (
	_ target.DiscoveryConfig = (*DiscoveryConfig)(nil)
	_ target.Discoverer      = (*discoverer)(nil)
	_ target.Closer          = (*discoverer)(nil)
)

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
	return &discoverer{cfg: *c, account: a, OnClose: release}, nil
}

// discoverer is a target.Discoverer.
type discoverer struct {
	share.OnClose
	cfg     DiscoveryConfig
	account *account
}

// Discover implements target.Discoverer. The groups are asked for by tag, since
// a list of all groups may miss one while others go.
func (d *discoverer) Discover(ctx context.Context) ([]target.Discovered, error) {
	op := "list the tagged scaling groups of " + d.cfg.Region
	ids, err := d.account.tagged(ctx, tagPrefix+"enable")
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	groups, err := d.account.groupsByID(ctx, ids)
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	var out []target.Discovered
	for i := range groups {
		labels := asking(groups[i].Tags)
		if _, ok := labels["enable"]; ok && groups[i].Lifecycle != groupDeleting {
			out = append(out, d.found(&groups[i], labels))
		}
	}
	return out, nil
}

// policyName is what a policy may be called, with up to longestPolicyName
// characters.
var policyName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.:-]*$`)

const longestPolicyName = 128

// found is a group as the engine takes it. Names are unique in a region, but
// may be Chinese, which a policy's may not.
func (d *discoverer) found(g *scalingGroup, labels map[string]string) target.Discovered {
	name := g.Name
	if len(name) > longestPolicyName || !policyName.MatchString(name) {
		name = g.ID
	}
	return target.Discovered{
		Name:        name,
		ScaleTarget: name,
		What:        fmt.Sprintf("scaling group %s (%s)", g.Name, g.ID),
		Labels:      labels,
		Target:      &Config{ScalingGroupID: g.ID, Access: d.cfg.Access, clients: d.cfg.clients},
	}
}

// asking are the tags that ask to be scaled, without their prefix.
func asking(tags []struct{ TagKey, TagValue string }) map[string]string {
	out := make(map[string]string)
	for _, t := range tags {
		if key, ok := strings.CutPrefix(t.TagKey, tagPrefix); ok {
			out[key] = t.TagValue
		}
	}
	return out
}
