package gcp

import (
	"cmp"
	"context"
	"path"
	"regexp"
	"slices"
	"strconv"
	"time"

	compute "google.golang.org/api/compute/v1"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// maxDeleted is the most instances that one request may delete.
const maxDeleted = 1000

// Replicas implements target.Victims. The ID of a replica is its URL; the
// label by which series are expected to name it is instance. Those that are
// being deleted or abandoned are not among them, nor those that have no machine
// yet.
func (g *group) Replicas(ctx context.Context) (target.Replicas, error) {
	op := "list the replicas of " + g.what
	m, _, err := g.read(ctx, op)
	if err != nil {
		return target.Replicas{}, err
	}
	list, err := g.client.instances.Get(ctx, g.key, time.Time{})
	if err != nil {
		return target.Replicas{}, failure(ctx, op, err)
	}
	rs := target.Replicas{Label: "instance"}
	for _, i := range order(list, checked(m)) {
		if i.InstanceStatus == "" {
			continue
		}
		r := target.Replica{ID: i.Instance, Name: cmp.Or(i.Name, path.Base(i.Instance)), Ready: serves(i, checked(m))}
		if i.Id != 0 {
			r.Aliases = append(r.Aliases, strconv.FormatUint(i.Id, 10))
		}
		if dns := internalName(i.Instance); dns != "" {
			r.Aliases = append(r.Aliases, dns)
			r.Address = dns
		}
		rs.List = append(rs.List, r)
	}
	return rs, nil
}

// ScaleDown implements target.Victims. It deletes instances by name, which
// lowers the target size by as many; of those that nobody named the ones go
// first that do not serve. More than 1000 at once are left to the group to
// choose, and so is everything while the group has fewer instances than would
// have to go. While the last request is on its way it is a conflict, since the
// size falls by how many go, and not to a number.
func (g *group) ScaleDown(ctx context.Context, desired int, victims []string) error {
	return g.change(ctx, desired, func(ctx context.Context, op string, n int) ([]string, error) {
		g.mu.Lock()
		p := g.pending
		g.mu.Unlock()
		if p != nil {
			return nil, target.Errorf(target.KindConflict, op, "the last request, for %d, is still on its way", p.to)
		}
		list, err := g.client.instances.Get(ctx, g.key, time.Time{})
		if err != nil {
			return nil, failure(ctx, op, err)
		}
		all := target.VictimsFirst(order(list, false), func(i *compute.ManagedInstance) string { return i.Instance }, victims)
		if len(all) < n {
			return nil, nil
		}
		urls := make([]string, 0, n)
		for _, i := range all[:n] {
			urls = append(urls, i.Instance)
		}
		return urls, nil
	})
}

// order returns the instances that are wanted, those that serve last. What
// belongs to a request to resize and has no machine to come yet has no URL and
// is none of them; stopped and suspended ones of a standby pool are not either.
func order(list []*compute.ManagedInstance, checked bool) []*compute.ManagedInstance {
	var out []*compute.ManagedInstance
	for _, i := range list {
		switch {
		case i.Instance == "", i.CurrentAction == "DELETING", i.CurrentAction == "ABANDONING",
			i.CurrentAction == "STOPPING", i.CurrentAction == "SUSPENDING",
			i.CurrentAction == "NONE" && slices.Contains([]string{"STOPPED", "TERMINATED", "SUSPENDED"}, i.InstanceStatus):
			continue
		}
		out = append(out, i)
	}
	slices.SortStableFunc(out, func(a, b *compute.ManagedInstance) int {
		return cmp.Or(
			share.FalseFirst(a.InstanceStatus != "", b.InstanceStatus != ""),
			share.FalseFirst(serves(a, checked), serves(b, checked)),
			cmp.Compare(a.Instance, b.Instance),
		)
	})
	return out
}

// instanceURL is the end of that of an instance.
var instanceURL = regexp.MustCompile(`(?:^|/)projects/([^/]+)/zones/([^/]+)/[^/]+/([^/]+)$`)

// internalName is the name by which the instance is known to the DNS of its
// network, zonal as it is by default: web-x1f2.europe-west1-b.c.shop.internal.
func internalName(instance string) string {
	if m := instanceURL.FindStringSubmatch(instance); m != nil {
		return m[3] + "." + m[2] + ".c." + m[1] + ".internal"
	}
	return ""
}
