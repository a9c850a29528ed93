package azure

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// tagPrefixes are the ways to write target.DiscoveryPrefix in the name of a tag.
// Where several say something the first counts.
var tagPrefixes = []string{"alertscaler:", target.DiscoveryPrefix, "alertscaler-"}

// notInNames is what Azure allows in the name of a resource group, and a policy
// does not in its own.
var notInNames = regexp.MustCompile(`[^a-z0-9_.:-]`)

// DiscoveryConfig is the configuration of a discovery of scale sets, under the
// key azure_vmss.
type DiscoveryConfig struct {
	Access `yaml:",inline"`
	// ResourceGroups to look in; none: all of the subscription.
	ResourceGroups []string `yaml:"resource_groups,omitempty"`
	// AllowOtherOwners is that of the targets.
	AllowOtherOwners bool `yaml:"allow_other_owners,omitempty"`

	clients *Clients
}

var (
	_ target.DiscoveryConfig = (*DiscoveryConfig)(nil)
	_ config.DirectorySetter = (*DiscoveryConfig)(nil)
)

// Platform implements target.DiscoveryConfig.
func (*DiscoveryConfig) Platform() string { return "azure_vmss" }

// Validate implements target.DiscoveryConfig. It asks nobody.
func (c *DiscoveryConfig) Validate() error {
	const notOne = "%q is no name of a resource group"
	return cmp.Or(target.CheckList("resource_groups", c.ResourceGroups, validGroup, notOne, strings.EqualFold), c.validate())
}

// New implements target.DiscoveryConfig. Nothing is dialed.
func (c *DiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	a, release, err := c.clients.get(c.Access, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of Azure: %w", err)
	}
	return share.NewDiscoverer(a, release, c.find), nil
}

// find finds scale sets on the lists that the targets are read from.
func (c *DiscoveryConfig) find(ctx context.Context, a *account) ([]target.Discovered, error) {
	scopes := c.ResourceGroups
	if len(scopes) == 0 {
		scopes = []string{""}
	}
	var out []target.Discovered
	for _, scope := range scopes {
		all, err := a.listings.Get(ctx, strings.ToLower(scope), time.Time{})
		if err != nil {
			return nil, failure(ctx, "discover scale sets", err)
		}
		for _, key := range slices.Sorted(maps.Keys(all)) {
			m := all[key]
			// Azure does not tell names of tags by their case.
			tags := make(map[string]string, len(m.Tags))
			for k, v := range m.Tags {
				tags[strings.ToLower(k)] = v
			}
			labels, asks := share.Asking(tags, tagPrefixes...)
			if !asks || strings.EqualFold(m.Properties.ProvisioningState, deleting) {
				continue
			}
			// Azure gives the group's name in any case as well.
			group, _, _ := strings.Cut(key, "/")
			cfg := &Config{
				Access: c.Access, ResourceGroup: group, Name: m.Name,
				AllowOtherOwners: c.AllowOtherOwners, clients: c.clients,
			}
			out = append(out, target.Discovered{
				Name:        notInNames.ReplaceAllString(strings.Replace(key, "/", ":", 1), "-"),
				ScaleTarget: m.Name, What: cfg.describe(), Labels: labels, Target: cfg,
			})
		}
	}
	return out, nil
}
