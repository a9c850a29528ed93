package aws

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

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

var _ target.DiscoveryConfig = (*ECSDiscoveryConfig)(nil)

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
		err := a.listServices(ctx, cluster, func(s *types.Service) {
			labels, asks := asking(s.Tags, func(t *types.Tag) (*string, *string) { return t.Key, t.Value })
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
func (a *account) listServices(ctx context.Context, cluster string, read func(*types.Service)) error {
	in := &ecs.ListServicesInput{Cluster: &cluster, MaxResults: new(int32(namesPerPage))}
	return pages(ctx, a.api.ecs.listServices, in, &in.NextToken, func(page *ecs.ListServicesOutput) (*string, error) {
		if page.ServiceArns == nil {
			return nil, noList("services")
		}
		for arns := range slices.Chunk(page.ServiceArns, servicesPerCall) {
			described, err := a.describe(ctx, &ecs.DescribeServicesInput{
				Cluster: &cluster, Services: arns, Include: []types.ServiceField{types.ServiceFieldTags},
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
