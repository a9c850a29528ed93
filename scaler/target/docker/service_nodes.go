package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/go-kit/log/level"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// checkRoom returns an error of KindQuota where no node of the swarm takes new
// tasks, because each is drained, paused or down: more replicas would only
// wait, and another target may have room for them.
//
// It looks at the availability and the state of all nodes and at nothing else.
// A service whose constraints, platforms or reservations leave it some of the
// nodes only is not told that those are drained: Swarm alone knows which they
// are, and its tasks wait as they do for docker service scale. Where nodes may
// not be listed, as behind a proxy that lets through what it must, nothing is
// checked.
func (s *service) checkRoom(ctx context.Context, op string) error {
	nodes, err := s.engine.api.NodeList(ctx, client.NodeListOptions{})
	switch {
	case errdefs.IsPermissionDenied(err) || errdefs.IsUnauthorized(err):
		level.Debug(s.logger).Log("msg", "nodes cannot be listed, not checking whether one takes tasks", "service", s.name, "err", err)
		return nil
	case err != nil:
		return s.engine.failure(ctx, op, err)
	case nodes.Items == nil:
		return s.engine.failure(ctx, op, noAnswer("a list of nodes"))
	}
	unfit := make(map[string]int)
	for _, n := range nodes.Items {
		switch {
		case n.Status.State != swarm.NodeStateReady:
			unfit["down"]++
		case n.Spec.Availability == swarm.NodeAvailabilityDrain:
			unfit["drained"]++
		case n.Spec.Availability == swarm.NodeAvailabilityPause:
			unfit["paused"]++
		default:
			return nil
		}
	}
	var counts []string
	for _, what := range []string{"drained", "paused", "down"} {
		if n := unfit[what]; n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, what))
		}
	}
	return target.Errorf(target.KindQuota, op,
		"no node of the swarm takes new tasks (%s): docker node update --availability active NODE lets one take them again", strings.Join(counts, ", "))
}

// placedWithin is how long Swarm may take to find nodes for a number before it
// counts that it finds none. It looks again whenever a node or a task changes.
const placedWithin = 5 * time.Second

// noRoom is of KindQuota where Swarm has tasks that it finds no node for, by its
// own word; nil where it has not, or may only not have tried yet. What it says
// is kept in the tasks' status, and only as a text.
func (s *service) noRoom(tasks []swarm.Task, replicas int) error {
	last := s.last.Load()
	if time.Since(last.at) < placedWithin || (last.to == replicas && last.to < last.from) {
		return nil
	}
	for _, t := range tasks {
		if t.Status.State == swarm.TaskStatePending && t.NodeID == "" && strings.Contains(t.Status.Err, "no suitable node") {
			return target.Errorf(target.KindQuota, "run the tasks of service "+s.name, "Swarm finds no node for them: %s", t.Status.Err)
		}
	}
	return nil
}
