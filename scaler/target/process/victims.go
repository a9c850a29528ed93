package process

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// The labels by which series name a replica: that of its own series, which
// Prometheus finds by HTTP service discovery, and that of what this package
// exports about one without a port.
const (
	portVictimLabel = "instance"
	ownVictimLabel  = "replica"
)

// Replicas implements target.Victims. A replica is named by its address, one
// that has none yet by its index; index and pid are among the aliases.
func (p *pool) Replicas(ctx context.Context) (target.Replicas, error) {
	if err := ctx.Err(); err != nil {
		return target.Replicas{}, target.Errorf(target.KindTemporary, p.op("read"), "%w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := p.victims()
	all := target.Replicas{Label: ownVictimLabel, List: make([]target.Replica, 0, len(wanted))}
	if p.cfg.hasPort() {
		all.Label = portVictimLabel
	}
	indices := make(map[int]bool, len(wanted))
	for _, r := range wanted {
		indices[r.index] = true
	}
	for _, r := range wanted {
		index := strconv.Itoa(r.index)
		v := target.Replica{ID: r.id(), Name: index, Ready: r.ready}
		if r.port != 0 {
			port := strconv.Itoa(r.port)
			v.Address = net.JoinHostPort("127.0.0.1", port)
			v.Name, v.Aliases = v.Address, []string{net.JoinHostPort("localhost", port), index}
		}
		// In a container pids are as small as indices, and one name must not
		// be that of two replicas.
		if r.pid != 0 && !indices[r.pid] {
			v.Aliases = append(v.Aliases, strconv.Itoa(r.pid))
		}
		all.List = append(all.List, v)
	}
	return all, nil
}

// ScaleDown implements target.Victims. It waits for neither starts nor drains.
func (p *pool) ScaleDown(ctx context.Context, desired int, victims []string) error {
	op := p.op("scale")
	if err := ctx.Err(); err != nil {
		return target.Errorf(target.KindTemporary, op, "%w", err)
	}
	switch {
	case desired < 0:
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	case p.cfg.MaxReplicas > 0 && desired > p.cfg.MaxReplicas:
		return target.Errorf(target.KindQuota, op, "%d replicas are more than max_replicas of %d", desired, p.cfg.MaxReplicas)
	}
	return p.set(op, desired, victims, time.Now())
}

// id names the replica to its pool. Its index would not do: the next replica
// gets it when this one is gone.
func (r *replica) id() string { return "replica-" + strconv.Itoa(r.serial) }
