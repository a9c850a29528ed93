package gcp

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	compute "google.golang.org/api/compute/v1"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// labelPrefix begins the labels and metadata that ask to be scaled. Neither a
// dot nor a colon may be in a key of either.
const labelPrefix = "alertscaler-"

// DiscoveryConfig is the configuration of a discovery of managed instance
// groups, under the key gcp_migs.
type DiscoveryConfig struct {
	Account `yaml:",inline"`
	// Locations are the zones and regions to look in; none: all of the project.
	Locations []string `yaml:"locations,omitempty"`

	clients *Clients
}

// Platform implements target.DiscoveryConfig.
func (*DiscoveryConfig) Platform() string { return "gcp_migs" }

// Validate implements target.DiscoveryConfig. It asks nobody.
func (c *DiscoveryConfig) Validate() error {
	return cmp.Or(c.validate(), target.CheckList("locations", c.Locations, regionRule.MatchString, "%q is neither a zone nor a region", nil))
}

// New implements target.DiscoveryConfig. Nothing is dialed.
func (c *DiscoveryConfig) New(o target.Options) (target.Discoverer, error) {
	cl, release, err := c.clients.get(c.Account, o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", c.endpoint(), err)
	}
	return share.NewDiscoverer(cl, release, c.find), nil
}

var _ target.DiscoveryConfig = (*DiscoveryConfig)(nil)

// find finds groups. These have no labels of their own, so the labels and
// metadata count that a group gives all of its instances (allInstancesConfig).
// Those of the instance template are not looked at: that would take every
// template of the project as well.
func (c *DiscoveryConfig) find(ctx context.Context, cl *client) ([]target.Discovered, error) {
	op := "list the instance groups of project " + c.Project
	var out []target.Discovered
	err := cl.api.everywhere(ctx, c.Project, func(l *compute.InstanceGroupManagerAggregatedList) error {
		for where, scoped := range l.Items {
			if w := scoped.Warning; w != nil && (w.Code == "UNREACHABLE" || w.Code == "PARTIAL_SUCCESS") {
				// Its groups would be taken for gone.
				return target.Errorf(target.KindTemporary, op, "%s: %s", where, coded(w.Code, w.Message))
			}
			for _, m := range scoped.InstanceGroupManagers {
				if f, ok := c.found(where, m); ok {
					out = append(out, f)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	slices.SortFunc(out, func(a, b target.Discovered) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// found is a group as the engine takes it; ok is false where it asks for
// nothing. where is zones/NAME or regions/NAME.
func (c *DiscoveryConfig) found(where string, m *compute.InstanceGroupManager) (f target.Discovered, ok bool) {
	location := path.Base(where)
	if len(c.Locations) > 0 && !slices.Contains(c.Locations, location) {
		return f, false
	}
	labels := asking(m)
	if _, asks := labels["enable"]; !asks {
		return f, false
	}
	cfg := &Config{Account: c.Account, Name: m.Name, clients: c.clients}
	if strings.HasPrefix(where, "zones/") {
		cfg.Zone = location
	} else {
		cfg.Region = location
	}
	return target.Discovered{
		Name:        location + ":" + m.Name,
		ScaleTarget: m.Name,
		What:        "instance group " + location + "/" + m.Name,
		Labels:      labels,
		Target:      cfg,
	}, true
}

// asking are the labels and metadata that ask to be scaled, without their
// prefix. Where both say something the metadata counts: a label's value has
// neither capitals nor dots.
func asking(m *compute.InstanceGroupManager) map[string]string {
	p := share.Value(share.Value(m.AllInstancesConfig).Properties)
	out := make(map[string]string)
	for _, from := range []map[string]string{p.Labels, p.Metadata} {
		asked, _ := share.Asking(from, labelPrefix)
		for k, v := range asked {
			out[strings.ReplaceAll(k, "-", "_")] = v
		}
	}
	return out
}
