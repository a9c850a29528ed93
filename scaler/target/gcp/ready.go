package gcp

import (
	"context"
	"slices"
	"time"

	compute "google.golang.org/api/compute/v1"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// healthFor is how long it is believed that all instances of a group are
// healthy, while nothing about the group changes.
const healthFor = time.Minute

// settled reports whether the group itself says that its instances run, as many
// as requested, and that nothing is done or to be done to any of them.
//
// status.isStable alone would not do: it is one bit for the group, false as soon
// as one of a hundred instances restarts, and says nothing of how many there
// are. The count of those without an action alone would not do either: stopped
// instances of a standby pool have none, and neither has one that crashed and is
// not to be repaired. Together they do: a group is stable once every instance
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
	calm := settled(m)
	if calm && (m.TargetSize == 0 || !checked(m) || g.knownHealthy(m.TargetSize)) {
		return int(m.TargetSize), nil, nil
	}
	list, err := g.client.managed(ctx, g.key)
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
	g.healthy, g.healthyAt = 0, time.Time{}
	if calm && n == int(m.TargetSize) {
		g.healthy, g.healthyAt = m.TargetSize, time.Now()
	}
	g.mu.Unlock()
	return n, g.unmade(list), nil
}

func (g *group) knownHealthy(size int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.healthy == size && time.Since(g.healthyAt) < healthFor
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
		if i.LastAttempt == nil || i.LastAttempt.Errors == nil {
			continue
		}
		for _, e := range i.LastAttempt.Errors.Errors {
			switch k := codes[e.Code]; k {
			case target.KindQuota, target.KindUnauthorized, target.KindNotFound, target.KindPermanent:
				return target.Errorf(k, "make an instance of "+g.what, "%s", coded(e.Code, e.Message))
			}
		}
	}
	return nil
}
