package gcp

import (
	"context"
	"slices"
	"time"

	compute "google.golang.org/api/compute/v1"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// healthFor is how long it is believed that all instances of a group are
// healthy, while nothing about the group changes.
const healthFor = time.Minute

// settled reports whether the group itself says that its instances run, as many
// as requested, and that nothing is done or to be done to any of them.
//
// It takes both: status.isStable says nothing of how many instances there are,
// and among those without an action are stopped ones of a standby pool, and one
// that crashed and is not to be repaired. A group is stable once every instance
// has the status it is meant to have.
func settled(m *compute.InstanceGroupManager) bool {
	a := m.CurrentActions
	if m.Status == nil || !m.Status.IsStable || m.TargetStoppedSize+m.TargetSuspendedSize > 0 {
		return false
	}
	if a == nil {
		return m.TargetSize == 0
	}
	busy := a.Abandoning + a.Creating + a.CreatingWithoutRetries + a.Deleting + a.Recreating + a.Refreshing +
		a.Restarting + a.Resuming + a.Starting + a.Stopping + a.Suspending + a.Verifying
	return busy == 0 && a.None == m.TargetSize
}

// checked reports whether a health check decides about instances.
func checked(m *compute.InstanceGroupManager) bool {
	return slices.ContainsFunc(m.AutoHealingPolicies, func(p *compute.InstanceGroupManagerAutoHealingPolicy) bool { return p.HealthCheck != "" })
}

// ready counts the instances that serve, and says why some cannot be made. It
// asks for the instances where the group alone cannot tell: while it is not
// settled, and of one with a health check once a minute, since an instance whose
// health fails has no action until the group gives up on it.
func (g *group) ready(ctx context.Context, m *compute.InstanceGroupManager) (int, error, error) {
	g.mu.Lock()
	healthy := g.healthy == m.TargetSize && time.Since(g.healthyAt) < healthFor
	g.mu.Unlock()
	calm := settled(m)
	if calm && (m.TargetSize == 0 || !checked(m) || healthy) {
		return int(m.TargetSize), nil, nil
	}
	list, err := g.client.instances.Get(ctx, g.key, time.Time{})
	if err != nil {
		return 0, nil, err
	}
	n := 0
	for _, i := range list {
		if serves(i, checked(m)) {
			n++
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.healthyAt = time.Time{}
	if calm && n == int(m.TargetSize) {
		g.healthy, g.healthyAt = m.TargetSize, time.Now()
	}
	return n, g.unmade(list), nil
}

// serves reports whether an instance serves. One that is being refreshed does:
// it is reconfigured without being stopped. One whose version is not the newest
// does as well. Where there is a health check, what is not known to be healthy
// is not.
func serves(i *compute.ManagedInstance, checked bool) bool {
	if i.InstanceStatus != "RUNNING" || (i.CurrentAction != "NONE" && i.CurrentAction != "REFRESHING") {
		return false
	}
	for _, h := range i.InstanceHealth {
		if h.DetailedHealthState != "HEALTHY" {
			return false
		}
	}
	return !checked || len(i.InstanceHealth) > 0
}

// unmade is why an instance that is wanted cannot be made, nil where none fails
// or where the group may well succeed by itself. A group tries for ever, so this
// is the only word there will be.
func (g *group) unmade(list []*compute.ManagedInstance) error {
	for _, i := range list {
		switch i.CurrentAction {
		case "CREATING", "CREATING_WITHOUT_RETRIES", "RECREATING", "STARTING", "RESUMING":
		default:
			continue
		}
		for _, e := range share.Value(share.Value(i.LastAttempt).Errors).Errors {
			switch k := codes[e.Code]; k {
			case target.KindQuota, target.KindUnauthorized, target.KindNotFound, target.KindPermanent:
				return target.Errorf(k, "make an instance of "+g.what, "%s", coded(e.Code, e.Message))
			}
		}
	}
	return nil
}
