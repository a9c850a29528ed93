package aws

import (
	"cmp"
	"context"
	"fmt"
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
	a, release, err := c.clients.get(c.Connection, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("clients of AWS: %w", err)
	}
	find := func(ctx context.Context) ([]target.Discovered, error) { return c.find(ctx, a) }
	return share.Discoverer{OnClose: release, Find: find}, nil
}

var _ target.DiscoveryConfig = (*ECSDiscoveryConfig)(nil)

// find finds services. ECS looks for no tags, so that all
// services are listed, a hundred at a time, and described, ten at a time.
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
		found, err := c.listServices(ctx, a, cluster)
		if err != nil {
			return nil, a.failure(ctx, "list the services of cluster "+cluster, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

func (a *account) listClusters(ctx context.Context) ([]string, error) {
	perPage := int32(namesPerPage)
	in := &ecs.ListClustersInput{MaxResults: &perPage}
	var out []string
	for {
		page, err := a.api.ecs.listClusters(ctx, in)
		if err != nil {
			return nil, err
		}
		if page.ClusterArns == nil {
			return nil, noList("clusters")
		}
		for _, arn := range page.ClusterArns {
			out = append(out, arn[strings.LastIndexByte(arn, '/')+1:])
		}
		if value(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// listServices returns the services of a cluster that carry the tag.
func (c *ECSDiscoveryConfig) listServices(ctx context.Context, a *account, cluster string) ([]target.Discovered, error) {
	perPage := int32(namesPerPage)
	in := &ecs.ListServicesInput{Cluster: &cluster, MaxResults: &perPage}
	var out []target.Discovered
	for {
		page, err := a.api.ecs.listServices(ctx, in)
		if err != nil {
			return nil, err
		}
		if page.ServiceArns == nil {
			return nil, noList("services")
		}
		for arns := range slices.Chunk(page.ServiceArns, servicesPerCall) {
			described, err := a.api.ecs.describeServices(ctx, &ecs.DescribeServicesInput{
				Cluster: &cluster, Services: arns, Include: []types.ServiceField{types.ServiceFieldTags},
			})
			if err != nil {
				return nil, err
			}
			if described.Services == nil {
				return nil, noList("services")
			}
			for i := range described.Services {
				if found, ok := c.found(cluster, &described.Services[i]); ok {
					out = append(out, found)
				}
			}
		}
		if value(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// found is a service as the engine takes it, if it asks to be scaled.
func (c *ECSDiscoveryConfig) found(cluster string, s *types.Service) (target.Discovered, bool) {
	labels, asks := asking(s.Tags, func(t *types.Tag) (*string, *string) { return t.Key, t.Value })
	if !asks || value(s.Status) != "ACTIVE" {
		return target.Discovered{}, false
	}
	name := value(s.ServiceName)
	return target.Discovered{
		Name: policyName(cluster + ":" + name), ScaleTarget: cluster + "/" + name,
		What: "service " + cluster + "/" + name, Labels: labels,
		Target: &ECSConfig{Connection: c.Connection, Cluster: cluster, Service: name, clients: c.clients},
	}, true
}
