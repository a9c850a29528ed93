package ansible

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

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
	counted
	cfg         Config
	environment environment
	listing     *listing // nil: a command counts
	release     func()   // of the listing
	acceptAfter time.Duration
	after       func(time.Duration) <-chan time.Time
	starting    share.Lock // whoever has it may start a run

	closing context.Context // done once Close is called
	close   context.CancelFunc
	running sync.WaitGroup
}

var _ target.Closer = (*playbook)(nil)

func newPlaybook(cfg *Config, o target.Options) *playbook {
	p := &playbook{
		counted: counted{options: o, logger: o.Log(), run: "playbook", key: "playbook", value: cfg.Playbook},
		cfg:     *cfg, acceptAfter: acceptAfter, after: time.After,
		environment: environment{cmp.Or(cfg.Dir, filepath.Dir(cfg.Playbook)), program.Environ(cfg.PassEnv, cfg.Env,
			"ANSIBLE_NOCOLOR=1", "ANSIBLE_NOCOWS=1", "ANSIBLE_RETRY_FILES_ENABLED=0",
			// An inventory that cannot be read is no empty one.
			"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1",
			// What a run that hangs has printed is there to be quoted.
			"PYTHONUNBUFFERED=1")},
	}
	p.closing, p.close = context.WithCancel(context.Background())
	if cfg.Current.Group != "" {
		p.listing, p.release = cfg.inventories.get(p.environment, program.Absolute(inventoryProgram(cfg.AnsiblePlaybook)), absolute(cfg.Inventory))
	}
	p.current = newCached(cfg.Current.source(p.environment, func(ctx context.Context, op string, since time.Time) (int, error) {
		return p.listing.hosts(ctx, op, cfg.Current.Group, since)
	}))
	return p
}

// Current implements target.Target. While a run is under way, requested is
// what it was asked for.
func (p *playbook) Current(ctx context.Context) (target.State, error) {
	return p.count(ctx, "count the replicas of "+p.options.Name)
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
	early, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	select {
	case <-r.done:
		return p.requests.answer(r.request)
	case <-early.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return failure(op, ctx.Err()) // the run goes on, and Current tells of it
	}
	return nil
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
	from, err := p.due(ctx, op, desired)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(
		available(op, program.Absolute(p.cfg.AnsiblePlaybook), absolute(p.cfg.Inventory)),
		present(op, "playbook", p.cfg.Playbook),
	); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, failure(op, err)
	}
	return p.launch(op, from, desired, ownVars(ctx, p.options, desired, from))
}

// Close implements target.Closer. It ends a run that is under way.
func (p *playbook) Close() error {
	p.close()
	p.running.Wait()
	if p.listing != nil {
		p.release()
	}
	return nil
}

// absolute makes a path one that holds in any working directory.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil && path != "" && !hostList(path) {
		return abs
	}
	return path
}
