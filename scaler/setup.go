package scaler

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// Prepare builds the targets of c that are new or changed, be it that the files
// have changed which they name. Those that stay as they are keep their target,
// and with it whatever it holds. The engine goes on meanwhile; whoever calls it
// applies or discards one change before the next is prepared.
func (e *Engine) Prepare(_ context.Context, c *config.Config) (config.Change, error) {
	var reader Usage
	if c.Prometheus != nil {
		var err error
		if reader, err = e.opts.NewUsage(c); err != nil {
			return config.Change{}, fmt.Errorf("prometheus: %w", err)
		}
	}
	next := make(map[string]*setup, len(c.Policies))
	known, claimed := e.unitsFor(c)
	discard := func(built []boundTarget) {
		for _, u := range claimed {
			u.unclaim()
		}
		e.closeTargets(e.opts.Logger, built)
	}
	budgets := make(map[string][]string)
	for _, r := range c.BudgetRules() {
		for _, name := range r.Members {
			budgets[name] = append(budgets[name], r.Name)
		}
	}
	var built []boundTarget
	for _, p := range c.Policies {
		s, fresh, err := e.setupFor(c, p, reader, known[p.Name])
		built = append(built, fresh...)
		if err != nil {
			discard(built)
			return config.Change{}, fmt.Errorf("policy %q: %w", p.Name, err)
		}
		s.budgets = budgets[p.Name]
		next[p.Name] = s
	}
	return config.Change{
		Apply:   func() { e.apply(c, next, claimed) },
		Discard: func() { discard(built) },
	}, nil
}

// unitsFor are the units that the policies of c have. One that comes back
// before it has gone goes on as it is: it is claimed.
func (e *Engine) unitsFor(c *config.Config) (known, claimed map[string]*unit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, claimed = maps.Clone(e.units), make(map[string]*unit)
	for _, p := range c.Policies {
		if u := e.leaving[p.Name]; u != nil && u.claim() {
			known[p.Name], claimed[p.Name] = u, u
		}
	}
	return known, claimed
}

// setupFor builds one policy's setup, for the unit that it has, if any, and
// returns the targets it had to build, also where it fails half-way.
func (e *Engine) setupFor(c *config.Config, p *config.Policy, reader Usage, has *unit) (*setup, []boundTarget, error) {
	s := &setup{
		rules:               c.Rules(p),
		scaleTarget:         p.ScaleTarget,
		discovery:           p.Discovery,
		usage:               reader,
		queries:             QueriesFor(p),
		interval:            c.Global.EvaluationInterval.Std(),
		provisioningTimeout: p.ProvisioningTimeout.Std(),
		fingerprint:         fingerprint(p),
	}
	s.lane = laneOf(p)
	var old []boundTarget
	if has != nil {
		old = has.held()
	}
	var fresh []boundTarget
	for _, t := range p.Targets {
		hook, err := e.hookOf(t)
		if err != nil {
			return nil, fresh, fmt.Errorf("target %q: drain: %w", t.Name, err)
		}
		// Before it is built: what changes meanwhile counts at the next reload.
		files := target.FilesSum(t.Platform)
		if i := slices.IndexFunc(old, func(b boundTarget) bool {
			return b.configuredAs(t.Name, t.Platform) && b.files == files
		}); i >= 0 {
			kept := old[i]
			kept.victims, kept.hook = t.Victims, hook
			s.targets = append(s.targets, kept)
			continue
		}
		built, err := e.build(p, t)
		if err != nil {
			return nil, fresh, fmt.Errorf("target %q: %w", t.Name, err)
		}
		b := boundTarget{name: t.Name, platform: t.Platform.Platform(), config: t.Platform, files: files, target: built, victims: t.Victims, hook: hook}
		fresh = append(fresh, b)
		s.targets = append(s.targets, b)
	}
	for _, b := range old {
		if !slices.ContainsFunc(s.targets, func(n boundTarget) bool { return n.target == b.target }) {
			s.shed = append(s.shed, b)
		}
	}
	return s, fresh, nil
}

// configuredAs reports whether b is the target of this name and configuration,
// whatever the files say that it names.
func (b boundTarget) configuredAs(name string, c target.Config) bool {
	return b.name == name && reflect.DeepEqual(b.config, c)
}

// gone are the targets that s sheds and that are no more part of it. A target
// that was built anew, because the files that it names have changed, is not
// among them: what is known of it still holds.
func (s *setup) gone() []boundTarget {
	return slices.DeleteFunc(slices.Clone(s.shed), func(old boundTarget) bool {
		return slices.ContainsFunc(s.targets, func(t boundTarget) bool { return t.configuredAs(old.name, old.config) })
	})
}

// build builds a target; a panic is its error.
func (e *Engine) build(p *config.Policy, t *config.Target) (built target.Target, err error) {
	logger := log.With(e.opts.Logger, "policy", p.Name, "target", t.Name)
	err = e.guard.Do(logger, componentBuilding, func() (err error) {
		built, err = t.Platform.New(target.Options{
			Policy: p.Name, ScaleTarget: p.ScaleTarget, Name: t.Name,
			Logger: logger, Registerer: e.opts.Registerer,
		})
		return err
	})
	return built, err
}

// hookOf builds what is called before a replica of t goes; nil: nothing is.
func (e *Engine) hookOf(t *config.Target) (victims.Drainer, error) {
	if t.Drain == nil {
		return nil, nil
	}
	return e.opts.NewDrain(*t.Drain)
}

// laneOf is where the evaluations of a policy queue: with those of the same
// platforms.
func laneOf(p *config.Policy) string {
	var platforms []string
	for _, t := range p.Targets {
		platforms = append(platforms, t.Platform.Platform())
	}
	slices.Sort(platforms)
	return strings.Join(slices.Compact(platforms), " ")
}

// apply puts prepared setups in force: units keep what they remember, new ones
// appear, those without a policy leave, and those that were claimed come back.
func (e *Engine) apply(c *config.Config, next map[string]*setup, claimed map[string]*unit) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, name := range names(e.units) {
		if u := e.units[name]; next[name] == nil {
			delete(e.units, name)
			e.leaving[name] = u
			u.leave()
		}
	}
	e.order = e.order[:0]
	for _, p := range c.Policies {
		e.order = append(e.order, p.Name)
		if u := e.units[p.Name]; u != nil {
			u.reconfigure(next[p.Name])
		} else if u := claimed[p.Name]; u != nil {
			delete(e.leaving, p.Name)
			e.units[p.Name] = u
			u.comeBack(next[p.Name])
		} else {
			e.units[p.Name] = newUnit(e, p.Name, next[p.Name])
		}
	}
	e.noteMoved(next)
	e.shared.configure(c, e.units, next)
	if e.started && !e.stopped {
		for _, name := range e.order {
			e.units[name].wake()
		}
	}
}

// held are the targets a unit holds now, or will after its next evaluation.
func (u *unit) held() []boundTarget {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.next != nil {
		return u.next.targets
	}
	return u.setup.targets
}

// restoreTargets brings replicas back that did not outlive the server, in the
// number last requested. What fails is tried again before the next evaluation;
// until then the target counts as unreadable.
func (u *unit) restoreTargets(ctx context.Context) {
	for _, t := range u.setup.targets {
		if u.restored[t.target] {
			continue
		}
		if err := u.restore(ctx, t); err != nil {
			level.Error(u.logger).Log("msg", "replicas cannot be brought back, trying again", "target", t.name, "err", err)
			continue
		}
		u.restored[t.target] = true
	}
}

func (u *unit) restore(ctx context.Context, t boundTarget) error {
	r, ok := t.target.(target.Restorer)
	if !ok {
		return nil
	}
	n, known, err := u.engine.opts.Ledger.LastRequested(u.name, t.name)
	if err != nil {
		return fmt.Errorf("read the number last requested: %w", err)
	}
	if err := r.Restore(ctx, n, known); err != nil {
		return fmt.Errorf("bring back %d replicas: %w", n, err)
	}
	if known {
		level.Info(u.logger).Log("msg", "replicas brought back", "target", t.name, "requested", n)
	}
	return nil
}

// closeTargets closes those that hold something.
func (e *Engine) closeTargets(logger log.Logger, targets []boundTarget) {
	for _, t := range targets {
		c, ok := t.target.(target.Closer)
		if !ok {
			continue
		}
		e.running.Go(func() {
			if err := e.guard.Do(logger, componentClosing, c.Close); err != nil {
				level.Error(logger).Log("msg", "target not closed cleanly", "target", t.name, "err", err)
			}
		})
	}
}

// closeTargets closes targets of the unit once nobody asks them any more which
// of the replicas that were to go they still have.
func (u *unit) closeTargets(targets []boundTarget) {
	told := u.victims.BeingTold()
	if len(told) == 0 {
		u.engine.closeTargets(u.logger, targets)
		return
	}
	u.engine.running.Go(func() {
		for _, known := range told {
			<-known
		}
		u.engine.closeTargets(u.logger, targets)
	})
}

// endpoints lists the replicas' addresses of the targets that know them.
func (u *unit) endpoints() []Endpoints {
	v := u.view.Load()
	if v.last == nil {
		return nil
	}
	var out []Endpoints
	for _, t := range v.setup.targets {
		if known, ok := t.target.(target.Endpoints); ok {
			out = append(out, Endpoints{Policy: u.name, ScaleTarget: v.setup.scaleTarget, Target: t.name, Addresses: known.Endpoints()})
		}
	}
	return out
}

var bothWays = []policy.Direction{policy.Up, policy.Down}

// backoffUntil is until when a target is not asked, whichever way.
func backoffUntil(b policy.Backoffs) time.Time {
	if b.Up.Until.After(b.Down.Until) {
		return b.Up.Until
	}
	return b.Down.Until
}

// status is the unit as its operator wants to see it.
func (u *unit) status() policy.Status {
	v := u.view.Load()
	s := policy.Status{
		Name: u.name, Discovery: v.setup.discovery, Mode: v.setup.rules.Mode, Min: v.setup.rules.Min, Max: v.setup.rules.Max,
		Last:              v.last,
		CooldownUpUntil:   v.history.CooldownUntil(&v.setup.rules, policy.Up),
		CooldownDownUntil: v.history.CooldownUntil(&v.setup.rules, policy.Down),
	}
	counts := u.engine.opts.Alerts.Counts(u.name)
	s.AlertsUp, s.AlertsDown = counts.Up, counts.Down
	holds := u.engine.holds(u.name, counts)
	s.BlockUp, s.BlockDown, s.Silences = holds.BlockUp, holds.BlockDown, holds.Silences
	if p := u.paused.Load(); p.Active(u.engine.opts.Now()) {
		s.Pause = p
	}
	if v.history.Contest.Active(u.engine.opts.Now()) {
		s.Contest = v.history.Contest
	}
	if v.last != nil {
		s.Explanation = v.last.Explain()
	}
	s.Budgets = u.engine.shared.status(u.name)
	for i, t := range v.setup.targets {
		r := v.reads.of(t.name)
		known := &v.setup.rules.Targets[i]
		ts := policy.TargetStatus{
			Name: t.name, Platform: t.platform, Requested: r.state.Requested, Ready: v.ready(r), ReadAt: r.at,
			BackoffUpUntil:      v.history.Backoffs[t.name].Up.Until,
			BackoffDownUntil:    v.history.Backoffs[t.name].Down.Until,
			BackoffUntil:        backoffUntil(v.history.Backoffs[t.name]),
			ProvisioningSeconds: v.history.ProvisioningOf(known).Seconds(), LossRatio: v.history.LossOf(known, v.at), CostPerHour: known.CostPerHour,
		}
		ts.Draining = v.draining[t.name].Names
		if r.err != nil {
			ts.Error = r.err.Error()
		}
		s.Targets = append(s.Targets, ts)
	}
	return s
}
