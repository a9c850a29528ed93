package process

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/program"
)

// The delays before a replica that died is started again.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 30 * time.Second
	// stableAfter is how long a replica must have run for its next death to
	// count as the first one again.
	stableAfter = 10 * time.Second
)

// replica keeps one copy of the command running until it is told to stop.
//
// Its goroutine, run, owns the process. What others may see of it is in the
// fields below the pool's mutex.
type replica struct {
	pool   *pool
	index  int // unique among the copies that exist, and its label
	serial int // unique among all that the pool ever had
	logger log.Logger
	// wanted is done once the pool has called stop: drain and end.
	wanted context.Context
	stop   context.CancelFunc

	// Guarded by pool.mu.

	port     int // 0: none
	pid      int // 0: not running
	started  time.Time
	ready    bool
	draining bool // told to stop
	cpu      counter
	disk     counter
}

func newReplica(p *pool, index, serial int) *replica {
	r := &replica{pool: p, index: index, serial: serial, logger: log.With(p.logger, "replica", index)}
	r.wanted, r.stop = context.WithCancel(context.Background())
	return r
}

// run starts the command, again whenever it ends, until stop is called.
func (r *replica) run() {
	defer func() { r.pool.ports.give(r.port) }()
	var b backoff
	for {
		var ran time.Duration
		err := r.pool.guard.Do(r.logger, componentReplica, func() (err error) {
			ran, err = r.runOnce()
			return err
		})
		if r.wanted.Err() != nil {
			level.Debug(r.logger).Log("msg", "replica stopped")
			return
		}
		delay := b.next(ran)
		level.Warn(r.logger).Log("msg", "replica ended by itself", "ran", ran, "restart_in", delay, "err", err)
		if !sleep(r.wanted, delay) {
			return
		}
		r.pool.update(func() { r.pool.restarts++ })
	}
}

// runOnce runs the command once, until it ends or stop is called, and returns
// how long it ran and how it ended.
func (r *replica) runOnce() (time.Duration, error) {
	cmd, port, err := r.command()
	if err != nil {
		return 0, err
	}
	output := level.Debug(r.logger)
	stdout, stderr := &lineLogger{logger: log.With(output, "stream", "stdout")}, &lineLogger{logger: log.With(output, "stream", "stderr")}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	c, err := program.StartChild(cmd)
	if err != nil {
		return 0, err
	}
	r.pool.update(func() { r.pid, r.started = c.Pid(), c.Started })
	defer func() {
		if v := recover(); v != nil {
			c.Kill() // It is started again, and must not run twice.
			panic(v)
		}
	}()
	level.Debug(r.logger).Log("msg", "replica started", "pid", c.Pid(), "port", port)

	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan bool, 1)
	go func() {
		ready := false
		_ = r.pool.guard.Do(r.logger, componentReplica, func() error {
			ready = r.watchReady(ctx, port)
			return nil
		})
		watched <- ready
	}()

	select {
	case <-c.Exited:
	case <-r.wanted.Done():
		c.Drain(time.Duration(r.pool.cfg.StopTimeout))
	}
	cancel()
	wasReady := <-watched
	// The pid must be out of sight before Reap lets the kernel reuse it.
	r.pool.update(func() { r.pid, r.started, r.ready = 0, time.Time{}, false })
	ran := time.Since(c.Started)
	state := c.Reap()
	stdout.flush()
	stderr.flush()
	r.pool.update(func() {
		r.cpu.restart((state.UserTime() + state.SystemTime()).Seconds())
		r.disk.restart(0)
		if !wasReady {
			// Perhaps someone else had bound the port meanwhile.
			r.pool.ports.give(r.port)
			r.port = 0
		}
	})
	return ran, errors.New(state.String()) // no end is a good one that was not asked for
}

// command is what is to be run next, and the port it is told.
func (r *replica) command() (*exec.Cmd, int, error) {
	cfg := &r.pool.cfg
	port := r.port // only this goroutine writes it
	if port == 0 && cfg.hasPort() {
		var err error
		if port, err = r.pool.ports.take(); err != nil {
			return nil, 0, err
		}
		r.pool.update(func() { r.port = port })
	}
	expand := strings.NewReplacer(portPlaceholder, strconv.Itoa(port)).Replace
	args := slices.Clone(cfg.Command)
	for i := range args {
		args[i] = expand(args[i])
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = cfg.Dir
	cmd.Env = append(program.Environ(cfg.PassEnv, nil),
		"ALERTSCALER_POLICY="+r.pool.policy,
		"ALERTSCALER_TARGET="+r.pool.name,
		"ALERTSCALER_REPLICA="+strconv.Itoa(r.index),
	)
	for _, name := range slices.Sorted(maps.Keys(cfg.Env)) {
		cmd.Env = append(cmd.Env, name+"="+expand(cfg.Env[name]))
	}
	return cmd, port, nil
}

// backoff doubles from backoffMin to backoffMax. The zero value is ready.
type backoff struct{ last time.Duration }

// next returns how long to wait after a run that lasted ran. A fifth of it is
// random, so that replicas that died together do not come back together.
func (b *backoff) next(ran time.Duration) time.Duration {
	switch {
	case ran >= stableAfter || b.last == 0:
		b.last = backoffMin
	default:
		b.last = min(2*b.last, backoffMax)
	}
	return b.last - rand.N(b.last/5)
}
