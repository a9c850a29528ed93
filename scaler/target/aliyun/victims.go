package aliyun

import (
	"context"
	"fmt"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Replicas implements target.Victims. They are the instances in service:
// protected ones stay, and those that are being added cannot be named. The
// order is by age, as the group's removal policies have it; whose scaling
// configuration is the oldest is not known.
func (g *group) Replicas(ctx context.Context) (target.Replicas, error) {
	op := "list the instances of " + g.what
	info, err := g.read(ctx, op)
	if err != nil {
		return target.Replicas{}, err
	}
	g.member.state(info) // what was told to go may have failed to
	all, err := g.removable(ctx, op, info)
	if err != nil {
		return target.Replicas{}, err
	}
	rs := target.Replicas{Label: "instance"}
	for _, i := range all {
		r := target.Replica{ID: i.ID, Name: i.ID, Address: i.Address, Ready: i.Health != "Unhealthy"}
		if i.Address != "" {
			r.Aliases = []string{i.Address}
		}
		rs.List = append(rs.List, r)
	}
	return rs, nil
}

// removable returns the instances that can be removed, the first to go first.
func (g *group) removable(ctx context.Context, op string, info *seen) ([]instance, error) {
	all, err := g.account.instances(ctx, g.id)
	if err != nil {
		return nil, failure(ctx, op, err)
	}
	all = slices.DeleteFunc(all, func(i instance) bool { return i.Lifecycle != "InService" || g.member.going(i.ID) })
	info.order(all)
	return all, nil
}

// gone returns the instances to remove where n are to go, see share.Leaving.
func (g *group) gone(ctx context.Context, op string, info *seen, n int, victims []string) ([]string, error) {
	if n <= 0 || len(victims) == 0 {
		return nil, nil
	}
	all, err := g.removable(ctx, op, info)
	ids := share.Leaving(all, instance.id, n, victims)
	return ids[:min(len(ids), idsPerCall)], err
}

// remove removes instances, and does with them what the group itself does.
func (g *group) remove(ctx context.Context, op string, info *seen, from int, ids []string) error {
	policy := "release"
	if info.ScalingPolicy == "recycle" {
		policy = "recycle" // it stops them and keeps them
	}
	token := g.member.token.For(fmt.Sprint(from, ids))
	activity, err := g.account.remove(ctx, g.id, ids, policy, token)
	return g.asked(ctx, op, err, &request{desired: from - len(ids), activity: activity, going: ids})
}
