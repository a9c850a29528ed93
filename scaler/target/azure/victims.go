package azure

import (
	"cmp"
	"context"
	"slices"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// Replicas implements target.Victims. They are in the order of the set's
// scale-in policy, apart from the balance of zones and fault domains, which
// only Azure knows; instances that are protected come last, and never go.
func (s *scaleSet) Replicas(ctx context.Context) (target.Replicas, error) {
	op := "list the replicas of " + s.what
	m, _, err := s.read(ctx, op)
	if err != nil {
		return target.Replicas{}, err
	}
	all, err := s.present(ctx, op, m)
	if err != nil {
		return target.Replicas{}, err
	}
	slices.SortFunc(all, func(a, b vmModel) int {
		return cmp.Or(share.FalseFirst(a.protected(), b.protected()), m.letsGo(a, b))
	})
	rs := target.Replicas{Label: "instance"}
	for _, v := range all {
		r := target.Replica{ID: v.id(), Name: cmp.Or(v.Properties.OSProfile.ComputerName, v.Name), Ready: v.ready()}
		if v.Name != r.Name {
			r.Aliases = []string{v.Name}
		}
		rs.List = append(rs.List, r)
	}
	return rs, nil
}

// victims are the IDs of the n instances to delete, see share.Leaving. None: the
// capacity is lowered and Azure chooses.
func (s *scaleSet) victims(ctx context.Context, op string, m *setModel, n int, named []string) ([]string, error) {
	if n <= 0 || len(named) == 0 {
		return nil, nil
	}
	all, err := s.present(ctx, op, m)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, vmModel.protected)
	slices.SortFunc(all, m.letsGo)
	return share.Leaving(all, vmModel.id, n, named), nil
}
