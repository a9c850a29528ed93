package azure

import (
	"context"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// unownedFor is how long a list of autoscale settings is believed. A refusal is
// not kept: it ends with its reason.
const unownedFor = time.Minute

// refuseOwned returns an error that names whoever else sets the capacity: the
// cluster whose nodes the instances are, or an autoscale setting in the same
// resource group. What two set, both set again and again.
func (s *scaleSet) refuseOwned(ctx context.Context, op string, m *setModel) error {
	if s.allowOthers {
		return nil
	}
	for tag := range m.Tags {
		if strings.HasPrefix(strings.ToLower(tag), "aks-managed-") {
			return target.Errorf(target.KindPermanent, op,
				"its instances are nodes of an AKS cluster (tag %s), which sets its capacity: scale the node pool instead, or set allow_other_owners", tag)
		}
	}
	group := strings.ToLower(s.group)
	settings, err := s.account.owners.Get(ctx, group, time.Time{})
	if err != nil {
		return &target.Error{Kind: target.KindOf(err), Op: op, RetryAfter: target.RetryAfter(err), Err: err}
	}
	if name := settings[strings.ToLower(m.ID)]; name != "" {
		s.account.owners.Forget(group)
		return target.Errorf(target.KindPermanent, op,
			"autoscale setting %s sets its capacity: disable that, or set allow_other_owners", name)
	}
	return nil
}

// autoscaled are the names of the autoscale settings of a resource group that
// are in force, by the lower case of what they scale.
func (a *account) autoscaled(ctx context.Context, group string) (map[string]string, error) {
	settings, err := list[settingModel](ctx, a, "list the autoscale settings",
		a.url(a.groupPath(group)+"/providers/Microsoft.Insights/autoscalesettings", insightsVersion, nil))
	names := make(map[string]string)
	for _, s := range settings {
		if s.Properties.Enabled {
			names[strings.ToLower(s.Properties.Target)] = s.Name
		}
	}
	return names, err
}
