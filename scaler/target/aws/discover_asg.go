package aws

import (
	"context"

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
	return c.clients.discoverer(c.Connection, o, c.find)
}

var _ target.DiscoveryConfig = (*ASGDiscoveryConfig)(nil)

// find finds groups. AWS itself looks for the tag.
func (c *ASGDiscoveryConfig) find(ctx context.Context, a *account) ([]target.Discovered, error) {
	in := &autoscaling.DescribeAutoScalingGroupsInput{
		Filters:          []types.Filter{{Name: new("tag-key"), Values: []string{prefixes[0] + "enable", prefixes[1] + "enable"}}},
		IncludeInstances: new(false), MaxRecords: new(int32(groupsPerCall)),
	}
	var out []target.Discovered
	err := a.groupPages(ctx, in, func(g *types.AutoScalingGroup) {
		labels, asks := asking(g.Tags, func(t *types.TagDescription) (*string, *string) { return t.Key, t.Value })
		if !asks || share.Value(g.Status) != "" {
			return
		}
		name := share.Value(g.AutoScalingGroupName)
		out = append(out, target.Discovered{
			Name: policyName(name), ScaleTarget: name, What: "group " + name, Labels: labels,
			Target: &ASGConfig{Connection: c.Connection, Name: name, clients: c.clients},
		})
	})
	if err != nil {
		return nil, a.failure(ctx, "list the Auto Scaling groups of region "+a.region, err)
	}
	return out, nil
}
