package ansible

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

const (
	// acceptAfter is how long Scale waits for a run to fail at once, as it
	// does for a mistake in the playbook, before it calls the run accepted.
	acceptAfter = 5 * time.Second
	// beforeDeadline is how long before its caller's deadline Scale answers.
	beforeDeadline = 250 * time.Millisecond
	// killAfter is how long a run that is ended may take to end by itself.
	killAfter = 5 * time.Second
)

// playbook is a target.Target.
type playbook struct {
	cfg         Config
	options     target.Options
	logger      log.Logger
	environment environment
	current     *cached
	listing     *share.Lease[*listing] // nil: a command counts
	requests    requests
	acceptAfter time.Duration
	after       func(time.Duration) <-chan time.Time
	starting    share.Lock // whoever has it may start a run

	closing context.Context // done once Close is called
	close   context.CancelFunc
	running sync.WaitGroup
}

var (
	_ target.Target = (*playbook)(nil)
	_ target.Closer = (*playbook)(nil)
)

func newPlaybook(cfg *Config, o target.Options) *playbook {
	p := &playbook{
		cfg: *cfg, options: o, logger: o.Log(), acceptAfter: acceptAfter, after: time.After,
		environment: newEnvironment(cfg.dir(), cfg.PassEnv, cfg.Env,
			"ANSIBLE_NOCOLOR=1", "ANSIBLE_NOCOWS=1", "ANSIBLE_RETRY_FILES_ENABLED=0",
			// An inventory that cannot be read is no empty one.
			"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1",
			// What a run that hangs has printed is there to be quoted.
			"PYTHONUNBUFFERED=1"),
	}
	p.closing, p.close = context.WithCancel(context.Background())
	p.current = newCached(p.source())
	return p
}

// source is what the configuration says to count by.
func (p *playbook) source() source {
	c := &p.cfg.Current
	if c.Group == "" {
		return &counter{p.environment, c.Command}
	}
	p.listing = p.cfg.inventories.get(p.environment, program.Absolute(inventoryProgram(p.cfg.AnsiblePlaybook)), absolute(p.cfg.Inventory))
	g := &inventoryGroup{listing: p.listing.Client, group: c.Group}
	if c.Ready != nil {
		g.ready = &counter{p.environment, c.Ready.Command}
	}
	return g
}

// Current implements target.Target. While a run is under way, requested is
// what it was asked for.
func (p *playbook) Current(ctx context.Context) (target.State, error) {
	op := "count the replicas of " + p.options.Name
	if err := ctx.Err(); err != nil {
		return target.State{}, failure(op, err)
	}
	c, err := p.current.read(ctx, op)
	if err != nil {
		return target.State{}, err
	}
	return p.state(c), nil
}

func (p *playbook) state(c counts) target.State {
	s, lost := p.requests.state(c, time.Now())
	if lost != nil {
		level.Error(p.logger).Log("msg", "playbook did not set the number", "playbook", p.cfg.Playbook, "err", lost)
	}
	return s
}

// Scale implements target.Target. It returns once the run has ended or has
// gone on for a few seconds.
func (p *playbook) Scale(ctx context.Context, desired int) error {
	op := fmt.Sprintf("scale %s to %d", p.options.Name, desired)
	if desired < 0 {
		return target.Errorf(target.KindPermanent, op, "%d is not a number of replicas", desired)
	}
	r, err := p.start(ctx, op, desired)
	if err != nil {
		return err
	}
	wait := p.acceptAfter
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)-beforeDeadline)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-r.done:
		return p.requests.answer(r.request)
	case <-timer.C:
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil
		}
		// The run goes on, and Current tells of it.
		return failure(op, ctx.Err())
	}
}

// start starts a run unless there is no reason to or one is under way.
func (p *playbook) start(ctx context.Context, op string, desired int) (*run, error) {
	if err := p.starting.Lock(ctx); err != nil {
		return nil, failure(op, err)
	}
	defer p.starting.Unlock()
	if p.closing.Err() != nil {
		return nil, target.Errorf(target.KindTemporary, op, "the target is closed")
	}
	if err := p.requests.admit(op, desired); err != nil {
		return nil, err
	}
	c, err := p.current.exactly(ctx, op)
	if err != nil {
		return nil, err
	}
	if p.state(c).Requested == desired {
		return nil, target.Errorf(target.KindNoOp, op, "there are %d replicas already", desired)
	}
	if err := available(op, program.Absolute(p.cfg.AnsiblePlaybook), absolute(p.cfg.Inventory)); err != nil {
		return nil, err
	}
	if err := present(op, "playbook", p.cfg.Playbook); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, failure(op, err)
	}
	return p.launch(op, ownVars(ctx, p.options, desired, c.requested))
}

// Close implements target.Closer. It ends a run that is under way.
func (p *playbook) Close() error {
	p.close()
	p.running.Wait()
	if p.listing != nil {
		p.listing.Close()
	}
	return nil
}

// absolute makes a path of the configuration one that holds in any working
// directory.
func absolute(path string) string {
	if path == "" || hostList(path) {
		return path
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
