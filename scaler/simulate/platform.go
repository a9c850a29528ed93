package simulate

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// endless is the end of what has none.
var endless = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// maxConflicts is how often a platform may refuse a number because someone
// else wrote at the same time, within one instant. Whoever tries more often
// would go on for ever, for no time passes meanwhile.
const maxConflicts = 100

// platform is one simulated target. It outlives the engine that asks it, and
// is safe for concurrent use.
type platform struct {
	name string
	now  func() time.Time

	mu sync.Mutex // guards everything below
	// requested is what was asked for last; shows is what is to be seen of it,
	// oldest first, where that takes its time.
	requested  int
	shows      []shown
	showsAfter time.Duration
	// ready replicas serve, booting ones will, and those that are dead never
	// will; together they are as many as requested.
	ready        int
	booting      []batch
	dead         int
	provisioning time.Duration
	limit        int
	// stillborn is how many of the replicas started until stillbornUntil never
	// become ready.
	stillborn      int
	stillbornUntil time.Time
	refuses        target.Kind
	refusesUntil   time.Time
	hiddenUntil    time.Time
	// conflicts counts those of the instant conflictsAt.
	conflicts   int
	conflictsAt time.Time
}

// shown is a count that is to be seen from a time on.
type shown struct {
	replicas int
	from     time.Time
}

// batch is replicas that become ready together.
type batch struct {
	replicas int
	ready    time.Time
}

func newPlatform(name string, replicas int, provisioning time.Duration, now func() time.Time) *platform {
	return &platform{
		name: name, now: now, requested: replicas, ready: replicas, provisioning: provisioning,
		shows: []shown{{replicas: replicas}},
	}
}

var _ target.Target = (*platform)(nil)

// Current implements target.Target.
func (p *platform) Current(context.Context) (target.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.pass()
	if now.Before(p.hiddenUntil) {
		return target.State{}, target.Errorf(target.KindTemporary, "read "+p.name, "it does not answer until %s", p.hiddenUntil.Format(time.RFC3339))
	}
	return target.State{Requested: p.shows[0].replicas, Ready: p.ready, Max: p.limit, LastChange: p.shows[0].from}, nil
}

// Scale implements target.Target.
func (p *platform) Scale(_ context.Context, desired int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.pass()
	op := fmt.Sprintf("scale %s to %d", p.name, desired)
	switch {
	case now.Before(p.refusesUntil) && p.refuses == target.KindConflict:
		if !p.conflictsAt.Equal(now) {
			p.conflicts, p.conflictsAt = 0, now
		}
		if p.conflicts++; p.conflicts > maxConflicts {
			return target.Errorf(target.KindPermanent, op, "asked %d times within one instant, while someone else writes", p.conflicts)
		}
		return target.Errorf(target.KindConflict, op, "someone else writes")
	case now.Before(p.refusesUntil):
		return target.Errorf(p.refuses, op, "refused until %s", p.refusesUntil.Format(time.RFC3339))
	case desired == p.requested:
		return target.Errorf(target.KindNoOp, op, "it has that count")
	case p.limit > 0 && desired > p.limit:
		return target.Errorf(target.KindQuota, op, "%d is its maximum", p.limit)
	}
	p.take(desired, now)
	return nil
}

// pass lets time go by up to now: what has booted is ready, and what was
// accepted shows. The caller holds p.mu.
func (p *platform) pass() time.Time {
	now := p.now()
	rest := p.booting[:0]
	for _, b := range p.booting {
		if b.ready.After(now) {
			rest = append(rest, b)
		} else {
			p.ready += b.replicas
		}
	}
	p.booting = rest
	for len(p.shows) > 1 && !p.shows[1].from.After(now) {
		p.shows = p.shows[1:]
	}
	return now
}

// take is a change of the count, whoever asks for it.
func (p *platform) take(n int, now time.Time) {
	diff := n - p.requested
	p.requested = n
	p.shows = append(p.shows, shown{n, now.Add(p.showsAfter)})
	if diff > 0 {
		p.boot(diff, now)
	} else {
		p.stop(-diff)
	}
	p.pass()
}

// boot starts replicas.
func (p *platform) boot(n int, now time.Time) {
	if now.Before(p.stillbornUntil) {
		dead := min(n, p.stillborn)
		if p.stillborn != math.MaxInt {
			p.stillborn -= dead
		}
		p.dead += dead
		n -= dead
	}
	if n > 0 {
		p.booting = append(p.booting, batch{n, now.Add(p.provisioning)})
	}
}

// stop ends replicas: those that never serve first, then those that boot, the
// newest of them first, and at last those that serve.
func (p *platform) stop(n int) {
	dead := min(n, p.dead)
	p.dead -= dead
	n -= dead
	for n > 0 && len(p.booting) > 0 {
		last := &p.booting[len(p.booting)-1]
		some := min(n, last.replicas)
		last.replicas -= some
		n -= some
		if last.replicas == 0 {
			p.booting = p.booting[:len(p.booting)-1]
		}
	}
	p.ready -= min(n, p.ready)
}

// counts are the numbers as they are, whatever can be seen of them.
func (p *platform) counts() (requested, ready int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	return p.requested, p.ready
}

// happen changes the platform at the present time.
func (p *platform) happen(change func(p *platform, now time.Time)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p, p.pass())
}

// lose takes n of the replicas that serve; the platform replaces them.
func (p *platform) lose(n int, now time.Time) {
	n = min(n, p.ready)
	p.ready -= n
	p.boot(n, now)
	p.pass()
}

// platformConfig hands out a platform in place of the one that is configured.
type platformConfig struct {
	configured target.Config
	it         *platform
}

var _ target.Config = platformConfig{}

func (c platformConfig) Platform() string                          { return c.configured.Platform() }
func (c platformConfig) Validate() error                           { return nil }
func (c platformConfig) Identity() string                          { return c.configured.Identity() }
func (c platformConfig) New(target.Options) (target.Target, error) { return c.it, nil }
