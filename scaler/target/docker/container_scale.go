package docker

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/go-kit/log/level"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

const (
	// maxCreating is how many copies are created at the same time. The Engine
	// does much of it one after another anyway.
	maxCreating = 4
	// defaultStopTimeout is the Engine's own.
	defaultStopTimeout = 10 * time.Second
	// removalGrace is how long the Engine may take for stopping and removing a
	// container beyond the time that the container may take.
	removalGrace = time.Minute
)

// Current implements target.Target. The time of the last change is not known.
func (c *containers) Current(ctx context.Context) (target.State, error) {
	all, err := c.Replicas(ctx)
	if err != nil {
		return target.State{}, err
	}
	st := target.State{Requested: len(all.List)}
	for _, r := range all.List {
		if r.Ready {
			st.Ready++
		}
	}
	return st, nil
}

// Replicas implements target.Victims.
func (c *containers) Replicas(ctx context.Context) (target.Replicas, error) {
	f, err := c.read(ctx, "read "+c.cfg.what())
	if err != nil {
		return target.Replicas{}, err
	}
	// The label is the one by which cAdvisor's series name a container.
	all := target.Replicas{Label: "name", List: make([]target.Replica, 0, len(f.wanted))}
	for _, r := range f.wanted {
		all.List = append(all.List, r.Replica)
	}
	return all, nil
}

// Scale implements target.Target. Copies are created and started when it
// returns; what is to go has a name that says so, and stops and is removed in
// the background.
//
// Where some of several copies could not be made, the error is that of the
// first one and Current tells how many there are.
func (c *containers) Scale(ctx context.Context, desired int) error {
	return c.ScaleDown(ctx, desired, nil)
}

// ScaleDown implements target.Victims. The template may be among the victims:
// it is stopped then. One that was started with --rm would be removed by that,
// so it stays and another goes.
func (c *containers) ScaleDown(ctx context.Context, desired int, victims []string) error {
	op := fmt.Sprintf("scale %s to %d", c.cfg.what(), desired)
	if desired < 0 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	if err := c.turn.Lock(ctx); err != nil {
		return target.Errorf(target.KindTemporary, op, "wait for another call: %w", err)
	}
	defer c.turn.Unlock()
	f, err := c.read(ctx, op)
	if err != nil {
		return err
	}
	requested := len(f.wanted)
	if desired == requested {
		return target.Errorf(target.KindNoOp, op, "there are %d already", desired)
	}
	if err := c.inspectTemplate(ctx, op, f); err != nil {
		return err
	}
	if desired == 0 && f.template.HostConfig.AutoRemove {
		return target.Errorf(target.KindPermanent, op, "the template %s was started with --rm: stopping it would remove it", f.templateName())
	}
	level.Info(c.logger).Log("msg", "setting the number of containers", "from", requested, "to", desired)
	for _, r := range f.leftovers {
		c.remove(f, r.ID, r.Name)
	}
	if desired > requested {
		return c.engine.failure(ctx, op, c.grow(ctx, f, desired-requested))
	}
	return c.engine.failure(ctx, op, c.shrink(ctx, f, desired, victims))
}

// grow starts what is stopped and makes copies.
func (c *containers) grow(ctx context.Context, f *fleet, n int) error {
	for _, r := range f.stopped {
		if n == 0 {
			return nil
		}
		_, err := c.engine.api.ContainerStart(ctx, r.ID, client.ContainerStartOptions{})
		switch {
		case err == nil:
			n--
		case c.cfg.Compose != nil && ctx.Err() == nil:
			// What cannot be started again must not keep new ones away.
			level.Warn(c.logger).Log("msg", "starting a stopped container, making a new one instead", "container", r.Name, "err", err)
		default:
			return fmt.Errorf("start the template: %w", err)
		}
	}
	if n == 0 {
		return nil
	}
	b, err := c.blueprint(ctx, f)
	if err != nil {
		return err
	}
	next := freeIndices(f.indices, b.first)
	g, failed := errgroup.WithContext(ctx)
	g.SetLimit(maxCreating)
	for range n {
		g.Go(func() error {
			// One failure stops those that have not begun. The others are not
			// cut short: half a container would be left.
			if failed.Err() != nil {
				return failed.Err()
			}
			return recovery.Do(recovery.Action, func() error { return c.addCopy(ctx, b, next) })
		})
	}
	return g.Wait()
}

// freeIndices returns a function that gives each index from first on that is
// not taken, once.
func freeIndices(taken map[int]bool, first int) func() int {
	var mu sync.Mutex
	last := first - 1
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		for last++; taken[last]; last++ {
		}
		return last
	}
}

// shrink lets replicas go until as many as desired are left: the victims
// first, the template otherwise only as the last of all.
func (c *containers) shrink(ctx context.Context, f *fleet, desired int, victims []string) error {
	if c.cfg.Compose == nil && f.template.HostConfig.AutoRemove {
		// Stopping the template would remove it.
		victims = slices.DeleteFunc(slices.Clone(victims), func(id string) bool { return id == f.template.ID })
	}
	order := target.VictimsFirst(f.wanted, func(r replica) string { return r.ID }, victims)
	for _, r := range order[:len(order)-desired] {
		if r.keep || desired == 0 && r.ID == f.template.ID {
			c.stopTemplate(f)
			continue
		}
		name := r.Name + drainingSuffix(r.ID)
		_, err := c.engine.api.ContainerRename(ctx, r.ID, client.ContainerRenameOptions{NewName: name})
		switch {
		case errdefs.IsNotFound(err) || errdefs.IsConflict(err):
			// Someone else removed it, or is about to. That is what was wanted.
		case err != nil:
			return fmt.Errorf("rename container %s: %w", r.Name, err)
		}
		c.remove(f, r.ID, name)
	}
	if c.cfg.Compose != nil {
		// One of the service is left, to make others after: those that had
		// ended before go as well.
		for _, r := range f.stopped {
			c.remove(f, r.ID, r.Name)
		}
	}
	return nil
}

// inBackground runs f for a container that counts as gone from now on until f
// returns. It does nothing where that is happening already.
func (c *containers) inBackground(id string, stopTimeout time.Duration, f func(context.Context)) {
	if _, already := c.leaving.LoadOrStore(id, true); already {
		return
	}
	c.background.Go(func() {
		defer c.leaving.Delete(id)
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout+removalGrace)
		defer cancel()
		err := recovery.Do(recovery.Action, func() error {
			f(ctx)
			return nil
		})
		if p := recovery.Of(err); p != nil {
			level.Error(c.logger).Log("msg", "taking a container away", "container", id, "err", p, "stack", string(p.Stack))
		}
	})
}

// remove stops and removes a copy, with the volumes that only it has. Where
// that does not work the copy keeps its name, and the next Scale tries again.
func (c *containers) remove(f *fleet, id, name string) {
	c.inBackground(id, c.stopTimeout(f), func(ctx context.Context) {
		_, err := c.engine.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: c.cfg.stopSeconds()})
		if err != nil && !errdefs.IsNotFound(err) {
			level.Warn(c.logger).Log("msg", "stopping a container before its removal", "container", name, "err", err)
		}
		_, err = c.engine.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if errdefs.IsConflict(err) {
			// Somebody else's removal is under way; it is gone with the end of
			// that.
			err = c.removed(ctx, id)
		}
		if err != nil && !errdefs.IsNotFound(err) {
			level.Error(c.logger).Log("msg", "removing a container", "container", name, "err", err)
			return
		}
		level.Debug(c.logger).Log("msg", "container removed", "container", name)
	})
}

// stopTimeout is how long a replica may take to stop: what is configured, or
// what the template says, which copies say as well.
func (c *containers) stopTimeout(f *fleet) time.Duration {
	switch own := f.template.Config.StopTimeout; {
	case c.cfg.StopTimeout != nil:
		return time.Duration(*c.cfg.StopTimeout)
	case own != nil:
		return time.Duration(*own) * time.Second
	default:
		return defaultStopTimeout
	}
}

// removed waits until the container is gone.
func (c *containers) removed(ctx context.Context, id string) error {
	wait := c.engine.api.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case <-wait.Result:
		return nil
	case err := <-wait.Error:
		return err
	}
}

// stopTemplate stops the template. Once the Engine has the request it goes on
// with it whatever becomes of this process.
func (c *containers) stopTemplate(f *fleet) {
	id := f.template.ID
	c.inBackground(id, c.stopTimeout(f), func(ctx context.Context) {
		if _, err := c.engine.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: c.cfg.stopSeconds()}); err != nil {
			level.Error(c.logger).Log("msg", "stopping the template", "err", err)
		}
	})
}
