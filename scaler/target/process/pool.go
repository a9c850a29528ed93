package process

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// componentReplica is where a panic in the supervision of a replica is
// recovered: the replica is started again.
const componentReplica = "replica"

// pool is a target.Target: the copies of one command.
type pool struct {
	cfg          Config
	policy, name string
	// scaled is the scale_target of the replicas' series.
	scaled  string
	logger  log.Logger
	reg     prometheus.Registerer // nil: no metrics
	client  *http.Client
	ports   ports
	guard   *recovery.Guard
	running sync.WaitGroup // one for each replica's run
	// aliveAfter is how long a replica without a probe must have run.
	aliveAfter time.Duration

	mu         sync.Mutex // guards the fields below and the replicas' own
	asked      bool       // Restore or Scale was called
	collector  *collector // nil: not registered
	refused    bool       // an attempt to register it failed
	requested  int
	lastChange time.Time
	replicas   []*replica // wanted and draining ones, by age, oldest first
	made       int        // replicas, ever
	restarts   int
	closed     bool
}

var (
	_ target.Restorer  = (*pool)(nil)
	_ target.Endpoints = (*pool)(nil)
	_ target.Victims   = (*pool)(nil)
	_ target.Closer    = (*pool)(nil)
)

func newPool(cfg Config, o target.Options) *pool {
	return &pool{
		cfg: cfg, policy: o.Policy, name: o.Name, scaled: o.ScaleTarget,
		logger:     log.With(o.Log(), "policy", o.Policy, "target", o.Name),
		reg:        o.Registerer,
		client:     cmp.Or(o.HTTPClient, probeClient()),
		guard:      recovery.New(o.Registerer, componentReplica),
		aliveAfter: aliveAfter,
	}
}

// Current implements target.Target. Replicas that drain are not ready.
func (p *pool) Current(ctx context.Context) (target.State, error) {
	if err := ctx.Err(); err != nil {
		return target.State{}, target.Errorf(target.KindTemporary, p.op("read"), "%w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.register()
	s := target.State{Requested: p.requested, Max: p.cfg.MaxReplicas, LastChange: p.lastChange}
	for _, r := range p.replicas {
		if r.ready && !r.draining {
			s.Ready++
		}
	}
	return s, nil
}

// Scale implements target.Target. It waits for neither starts nor drains.
func (p *pool) Scale(ctx context.Context, desired int) error {
	return p.ScaleDown(ctx, desired, nil)
}

// Restore implements target.Restorer. Where the last number is not known it
// starts nothing: the engine corrects the count to the policy's minimum.
func (p *pool) Restore(_ context.Context, requested int, known bool) error {
	if !known {
		requested = 0
	}
	if p.cfg.MaxReplicas > 0 {
		requested = min(requested, p.cfg.MaxReplicas)
	}
	err := p.set(p.op("restore"), max(requested, 0), nil, time.Time{})
	if target.KindOf(err) == target.KindNoOp {
		return nil
	}
	return err
}

// set starts and stops replicas until as many as desired are wanted. Those
// with the IDs in first are the first to go.
func (p *pool) set(op string, desired int, first []string, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return target.Errorf(target.KindPermanent, op, "the target is closed")
	}
	p.asked = true
	p.register()
	if desired == p.requested {
		return target.Errorf(target.KindNoOp, op, "%d replicas are requested already", desired)
	}
	level.Info(p.logger).Log("msg", "setting the number of replicas", "from", p.requested, "to", desired)
	for range desired - p.requested {
		p.made++
		r := newReplica(p, p.freeIndex(), p.made)
		p.replicas = append(p.replicas, r)
		p.running.Go(func() {
			r.run()
			p.update(func() { p.replicas = slices.DeleteFunc(p.replicas, func(x *replica) bool { return x == r }) })
		})
	}
	if surplus := p.requested - desired; surplus > 0 {
		for _, r := range target.VictimsFirst(p.victims(), (*replica).id, first)[:surplus] {
			r.draining = true
			r.stop()
		}
	}
	p.requested, p.lastChange = desired, now
	return nil
}

// register exports the replicas' metrics, from the first call after Restore or
// Scale on. A reload builds the new target while the old one, whose metrics
// have the same names, still has them; so a registration that is refused does
// not keep replicas from running, and is tried again. p.mu is held.
func (p *pool) register() {
	if p.reg == nil || p.collector != nil || p.closed || !p.asked {
		return
	}
	c := newCollector(p)
	if err := p.reg.Register(c); err == nil {
		p.collector = c
	} else if !p.refused {
		p.refused = true
		level.Warn(p.logger).Log("msg", "metrics of the replicas cannot be registered, trying again", "err", err)
	}
}

// freeIndex returns the lowest index that no replica has, so that labels stay
// few however often the count changes. p.mu is held.
func (p *pool) freeIndex() int {
	taken := make(map[int]bool, len(p.replicas))
	for _, r := range p.replicas {
		taken[r.index] = true
	}
	for i := 0; ; i++ {
		if !taken[i] {
			return i
		}
	}
}

// victims returns the wanted replicas in the order they are to go: those that
// are not ready first, and the newest of each first. p.mu is held.
func (p *pool) victims() []*replica {
	wanted := slices.DeleteFunc(slices.Clone(p.replicas), func(r *replica) bool { return r.draining })
	slices.Reverse(wanted)
	slices.SortStableFunc(wanted, func(a, b *replica) int { return share.FalseFirst(a.ready, b.ready) })
	return wanted
}

// update runs f with the replicas' fields locked.
func (p *pool) update(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// Endpoints implements target.Endpoints: the replicas that run and are not
// draining, ready or not, as Prometheus is to see those that have trouble.
func (p *pool) Endpoints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, r := range p.replicas {
		if r.pid != 0 && r.port != 0 && !r.draining {
			all = append(all, net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)))
		}
	}
	slices.Sort(all)
	return all
}

// Close implements target.Closer. It drains all replicas at once and returns
// when they are gone: after stop_timeout, and little more, at the latest.
func (p *pool) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, r := range p.victims() {
		r.draining = true
		r.stop()
	}
	// At once and not when all are gone: on a reload the next target waits for
	// the names.
	if p.collector != nil {
		p.reg.Unregister(p.collector)
		p.collector = nil
	}
	p.mu.Unlock()
	p.running.Wait()
	return nil
}

// op says what was tried, for errors.
func (p *pool) op(verb string) string {
	return fmt.Sprintf("%s processes of %s/%s", verb, p.policy, p.name)
}

// Replicas implements target.Victims. A replica is named by its address, one
// that has none yet by its index; index and pid are among the aliases.
func (p *pool) Replicas(ctx context.Context) (target.Replicas, error) {
	if err := ctx.Err(); err != nil {
		return target.Replicas{}, target.Errorf(target.KindTemporary, p.op("read"), "%w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wanted := p.victims()
	// That of the collector's series, or of a replica's own, which Prometheus finds
	// by HTTP service discovery.
	all := target.Replicas{Label: "replica", List: make([]target.Replica, 0, len(wanted))}
	if p.cfg.hasPort() {
		all.Label = "instance"
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
