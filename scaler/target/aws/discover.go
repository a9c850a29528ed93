package aws

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// prefixes begin the tags that ask to be scaled, the one that counts first. Tags
// of AWS are commonly written with colons; dots, as everywhere else, do as well.
var prefixes = []string{"alertscaler:", target.DiscoveryPrefix}

// discoverer returns one of what find finds on a connection.
func (c *Clients) discoverer(conn Connection, o target.Options, find func(context.Context, *account) ([]target.Discovered, error)) (target.Discoverer, error) {
	a, release, err := c.get(conn, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("clients of AWS: %w", err)
	}
	return share.NewDiscoverer(a, release, find), nil
}

// asking is share.Asking of tags.
func asking[T any](tags []T, pair func(*T) (key, value *string)) (map[string]string, bool) {
	all := make(map[string]string, len(tags))
	for i := range tags {
		k, v := pair(&tags[i])
		all[share.Value(k)] = share.Value(v)
	}
	return share.Asking(all, prefixes...)
}

// unfit is what the name of a policy may not have in it.
var unfit = regexp.MustCompile(`[^a-zA-Z0-9_.:-]+`)

// policyName is a name as a policy may have it. Two groups whose names differ
// in nothing else are reported as a problem, as all things of one name are.
func policyName(name string) string {
	fit := strings.TrimLeft(unfit.ReplaceAllString(name, "-"), "_.:-")
	return fit[:min(len(fit), 128)]
}

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

// namesPerPage is the most that one page of ListServices and ListClusters has.
const namesPerPage = 100

// ECSDiscoveryConfig is the configuration of a discovery of services of ECS,
// under the key aws_ecs.
type ECSDiscoveryConfig struct {
	Connection `yaml:",inline"`
	// Clusters to look in, by name; none: all of the region.
	Clusters []string `yaml:"clusters,omitempty"`

	clients *Clients
}

// NewECSDiscoveryConfig returns a configuration of a discovery with its
// defaults.
func (c *Clients) NewECSDiscoveryConfig() target.DiscoveryConfig {
	return &ECSDiscoveryConfig{clients: c}
}

// Platform implements target.DiscoveryConfig.
func (*ECSDiscoveryConfig) Platform() string { return "aws_ecs" }

// Validate implements target.DiscoveryConfig. It asks nobody.
func (c *ECSDiscoveryConfig) Validate() error {
	const notOne = "%q is no name of a cluster: letters, digits, - and _"
	return cmp.Or(target.CheckList("clusters", c.Clusters, validECSName, notOne, nil), c.validate())
}

// New implements target.DiscoveryConfig. It reads the shared configuration
// files and dials nothing.
func (c *ECSDiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	return c.clients.discoverer(c.Connection, o, c.find)
}

// find finds services. ECS looks for no tags, so that all services are listed, a
// hundred at a time, and described, ten at a time.
func (c *ECSDiscoveryConfig) find(ctx context.Context, a *account) ([]target.Discovered, error) {
	clusters := c.Clusters
	if len(clusters) == 0 {
		var err error
		if clusters, err = a.listClusters(ctx); err != nil {
			return nil, a.failure(ctx, "list the clusters of region "+a.region, err)
		}
	}
	var out []target.Discovered
	for _, cluster := range clusters {
		err := a.listServices(ctx, cluster, func(s *ecstypes.Service) {
			labels, asks := asking(s.Tags, func(t *ecstypes.Tag) (*string, *string) { return t.Key, t.Value })
			if !asks || share.Value(s.Status) != "ACTIVE" {
				return
			}
			name := share.Value(s.ServiceName)
			out = append(out, target.Discovered{
				Name: policyName(cluster + ":" + name), ScaleTarget: cluster + "/" + name,
				What: "service " + cluster + "/" + name, Labels: labels,
				Target: &ECSConfig{Connection: c.Connection, Cluster: cluster, Service: name, clients: c.clients},
			})
		})
		if err != nil {
			return nil, a.failure(ctx, "list the services of cluster "+cluster, err)
		}
	}
	return out, nil
}

func (a *account) listClusters(ctx context.Context) (clusters []string, err error) {
	in := &ecs.ListClustersInput{MaxResults: new(int32(namesPerPage))}
	err = pages(ctx, a.api.ecs.listClusters, in, &in.NextToken, func(page *ecs.ListClustersOutput) (*string, error) {
		if page.ClusterArns == nil {
			return nil, noList("clusters")
		}
		for _, arn := range page.ClusterArns {
			clusters = append(clusters, arn[strings.LastIndexByte(arn, '/')+1:])
		}
		return page.NextToken, nil
	})
	return clusters, err
}

// listServices calls read with the services of a cluster.
func (a *account) listServices(ctx context.Context, cluster string, read func(*ecstypes.Service)) error {
	in := &ecs.ListServicesInput{Cluster: &cluster, MaxResults: new(int32(namesPerPage))}
	return pages(ctx, a.api.ecs.listServices, in, &in.NextToken, func(page *ecs.ListServicesOutput) (*string, error) {
		if page.ServiceArns == nil {
			return nil, noList("services")
		}
		for arns := range slices.Chunk(page.ServiceArns, servicesPerCall) {
			described, err := a.describe(ctx, &ecs.DescribeServicesInput{
				Cluster: &cluster, Services: arns, Include: []ecstypes.ServiceField{ecstypes.ServiceFieldTags},
			})
			if err != nil {
				return nil, err
			}
			for i := range described.Services {
				read(&described.Services[i])
			}
		}
		return page.NextToken, nil
	})
}
