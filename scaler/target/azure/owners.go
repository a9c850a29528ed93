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

// ownersList are the names of the autoscale settings of a resource group that
// are in force, by the lower case of what they scale.
type ownersList struct {
	at    time.Time
	names map[string]string
}

// refuseOwned returns an error that names whoever else sets the capacity: the
// cluster whose nodes the instances are, or an autoscale setting in the same
// resource group. What two set, both set again and again.
func (s *scaleSet) refuseOwned(ctx context.Context, op string, m *setModel) error {
	if s.allowOthers {
		return nil
	}
	for tag := range m.Tags {
		if strings.HasPrefix(strings.ToLower(tag), aksTagPrefix) {
			return target.Errorf(target.KindPermanent, op,
				"its instances are nodes of an AKS cluster (tag %s), which sets its capacity: scale the node pool instead, or set allow_other_owners", tag)
		}
	}
	name, err := s.account.owner(ctx, op, s.group, m.ID)
	if err != nil {
		return err
	}
	if name != "" {
		return target.Errorf(target.KindPermanent, op,
			"autoscale setting %s sets its capacity: disable that, or set allow_other_owners", name)
	}
	return nil
}

// owner returns the name of the autoscale setting of a scale set, empty if
// there is none in its resource group.
func (a *account) owner(ctx context.Context, op, group, id string) (string, error) {
	group, id = strings.ToLower(group), strings.ToLower(id)
	a.mu.Lock()
	known := a.owners[group]
	a.mu.Unlock()
	if _, owned := known.names[id]; !owned && !known.at.IsZero() && time.Since(known.at) < unownedFor {
		return "", nil
	}
	now := time.Now()
	settings, err := list[settingModel](ctx, a, op+": list the autoscale settings",
		a.url(a.groupPath(group)+autoscaleSettingsPath, insightsVersion, nil))
	if err != nil {
		return "", err
	}
	known = ownersList{at: now, names: make(map[string]string)}
	for _, s := range settings {
		if s.Properties.Enabled {
			known.names[strings.ToLower(s.Properties.Target)] = s.Name
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owners[group] = known
	return known.names[id], nil
}
