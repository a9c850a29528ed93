package docker

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"github.com/go-kit/log/level"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// removalGrace is how long the Engine may take for stopping and removing a
// container beyond the time that the container may take.
const removalGrace = time.Minute

// defaultStopTimeout is the Engine's own.
const defaultStopTimeout = 10 * time.Second

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
