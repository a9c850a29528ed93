package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// ASGDiscoveryConfig is the configuration of a discovery of Auto Scaling
// groups, under the key aws_asg.
type ASGDiscoveryConfig struct {
	Connection `yaml:",inline"`

	clients *Clients
}

// NewASGDiscoveryConfig returns a configuration of a discovery with its
// defaults.
func (c *Clients) NewASGDiscoveryConfig() target.DiscoveryConfig {
	return &ASGDiscoveryConfig{clients: c}
}

// Platform implements target.DiscoveryConfig.
func (*ASGDiscoveryConfig) Platform() string { return "aws_asg" }

// Validate implements target.DiscoveryConfig. It asks nobody.
func (c *ASGDiscoveryConfig) Validate() error { return c.validate() }

// New implements target.DiscoveryConfig. It reads the shared configuration
// files and dials nothing.
func (c *ASGDiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	a, release, err := c.clients.get(c.Connection, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("clients of AWS: %w", err)
	}
	return &asgDiscoverer{account: a, OnClose: release, cfg: *c}, nil
}

// asgDiscoverer is a target.Discoverer.
type asgDiscoverer struct {
	*account
	share.OnClose
	cfg ASGDiscoveryConfig
}

var (
	_ target.DiscoveryConfig = (*ASGDiscoveryConfig)(nil)
	_ target.Discoverer      = (*asgDiscoverer)(nil)
	_ target.Closer          = (*asgDiscoverer)(nil)
)

// Discover implements target.Discoverer. AWS itself looks for the tag.
func (d *asgDiscoverer) Discover(ctx context.Context) ([]target.Discovered, error) {
	filter, instances, perPage := "tag-key", false, int32(groupsPerCall)
	in := &autoscaling.DescribeAutoScalingGroupsInput{
		Filters:          []types.Filter{{Name: &filter, Values: enableKeys}},
		IncludeInstances: &instances, MaxRecords: &perPage,
	}
	var out []target.Discovered
	err := d.groupPages(ctx, in, func(g *types.AutoScalingGroup) {
		labels := asking(g.Tags, func(t *types.TagDescription) (*string, *string) { return t.Key, t.Value })
		if _, ok := labels["enable"]; !ok || value(g.Status) != "" {
			return
		}
		name := value(g.AutoScalingGroupName)
		out = append(out, target.Discovered{
			Name: policyName(name), ScaleTarget: name, What: "group " + name, Labels: labels,
			Target: &ASGConfig{Connection: d.cfg.Connection, Name: name, clients: d.cfg.clients},
		})
	})
	if err != nil {
		return nil, d.failure(ctx, "list the Auto Scaling groups of region "+d.region, err)
	}
	return out, nil
}
