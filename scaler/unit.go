package scaler

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// unit is one policy at work. Its evaluations follow each other; what they
// change belongs to the evaluation in flight and needs no lock.
type unit struct {
	engine *Engine
	name   string
	logger log.Logger

	mu      sync.Mutex // guards what follows, up to view
	running bool
	again   bool
	timer   *time.Timer
	// stage is how far the unit is on its way out.
	stage stage
	// claims are configurations that were prepared and would bring it back.
	claims int
	// flight is closed when the evaluation in flight ends; nil: none is.
	flight chan struct{}
	// next is a new configuration, taken over by the next evaluation. setup is
	// the one in force; only the evaluation in flight replaces it.
	next  *setup
	setup *setup

	// view is what others may see; replaced as a whole.
	view atomic.Pointer[view]
	// woken counts how often its alerts changed, decided is how many of these
	// changes the policy has decided upon.
	woken, decided atomic.Int64
	// paused is the operator's pause, if any; it may have ended.
	paused atomic.Pointer[policy.Pause]
	// retry is set where an operator wants the targets to be asked again.
	retry atomic.Bool

	// Owned by the evaluation in flight:

	// corrected is how far the clock was corrected when its times were noted.
	corrected time.Duration
	patience  patience
	history   policy.History
	// actions judges what comes of what was decided, and changes history.
	actions *action.Machine
	// reads is what was last read of each target.
	reads readings
	// restored are the targets whose replicas were brought back.
	restored map[target.Target]bool
	// recorded is the last decision written to the ledger; nil: none was.
	recorded *answer
	// victims are which replicas may go, and their drains.
	victims *victims.State

	// learnings are of the resources with an objective.
	learnings map[string]*learning
	// forgotten are resources of which the ledger is to keep nothing that was
	// learnt; unlearnt is set once it was looked through for those.
	forgotten []string
	unlearnt  bool

	// counts may be read by anyone.
	counts *counters
	// founding units are those that the engine was started with.
	founding bool
}

// setup is a policy as configured, with its targets built.
type setup struct {
	rules               policy.Policy
	scaleTarget         string
	discovery           string // where the policy comes from; empty: the file
	targets             []boundTarget
	usage               Usage
	queries             []usage.Query
	interval            time.Duration
	provisioningTimeout time.Duration
	// budgets are the names of those the policy has a part in.
	budgets []string
	// fingerprint tells the policy's configuration from others.
	fingerprint string
	// shed are targets of the setup before that are in this one no more, to
	// be closed once nothing uses them.
	shed []boundTarget
	// lane is where its evaluations queue.
	lane string
}

// boundTarget is a target with its names.
type boundTarget struct {
	name     string
	platform string
	config   target.Config
	files    string // target.FilesSum of config when it was built
	target   target.Target
	// victims and hook are nil where the platform chooses which replicas go,
	// and nobody is asked before they do.
	victims *config.Victims
	hook    victims.Drainer
}

// reading is one target as last read.
type reading struct {
	name  string
	state target.State
	at    time.Time
	err   error
}

// readings are those of a policy's few targets.
type readings []reading

// of is what was last read of a target; the zero reading where none was.
func (rs readings) of(name string) reading {
	for i := range rs {
		if rs[i].name == name {
			return rs[i]
		}
	}
	return reading{name: name}
}

// has reports whether a target was read, in vain or not.
func (rs readings) has(name string) bool {
	r := rs.of(name)
	return r.err != nil || !r.at.IsZero()
}

// put replaces what was last read of a target.
func (rs *readings) put(r reading) {
	for i := range *rs {
		if (*rs)[i].name == r.name {
			(*rs)[i] = r
			return
		}
	}
	*rs = append(*rs, r)
}

// view is what others may see of a unit.
type view struct {
	setup   *setup
	last    *policy.Decision
	reads   readings
	history policy.History
	// open are the actions that have still to be settled.
	open []ledger.Action
	// draining are the replicas that are, by target.
	draining map[string]victims.Drainees
	// progress is that of each resource with an objective.
	progress map[string]progress
	// at is when it was published, and paused whether an operator had paused
	// the policy then.
	at     time.Time
	paused bool
}

// ready is how many of a target's replicas serve: those that take no work
// because they are to go do not.
func (v *view) ready(r reading) int {
	return max(0, r.state.Ready-v.draining[r.name].Ready)
}

func newUnit(e *Engine, name string, s *setup) *unit {
	u := &unit{
		engine:   e,
		name:     name,
		logger:   log.With(e.opts.Logger, "policy", name),
		next:     s,
		setup:    s,
		restored: make(map[target.Target]bool),
		counts:   newCounters(),
		founding: !e.started,
	}
	m, known := e.memory[name]
	delete(e.memory, name)
	u.history, u.corrected = m.history, m.corrected
	if !known && e.opts.Distrust {
		u.history.Distrust(e.opts.Now())
	}
	u.actions = action.New(rulesOf(s), &u.history, m.open)
	u.victims = victims.New(victims.Options{
		Policy: name, Logger: u.logger, Guard: e.guard, Now: e.opts.Now, PlatformTimeout: e.opts.PlatformTimeout,
		Stopping: e.draining, Go: e.running.Go, Wake: u.wake, Count: u.counts.drained,
	}, s.scaleTarget, victimsOf(s.targets))
	for i := range u.history.Targets {
		// What was last known, until it is read again.
		if m := &u.history.Targets[i]; m.Requested != nil {
			u.reads.put(reading{name: m.Name, at: m.Stands.At, state: target.State{
				Requested: *m.Requested, Ready: m.Ready, Min: m.Stands.Min, Max: m.Stands.Max,
			}})
		}
	}
	u.paused.Store(e.pauses.of[name])
	u.publish(nil)
	return u
}

// wake starts an evaluation, or asks the one in flight to be followed by
// another. It never blocks.
func (u *unit) wake() {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.stage == gone:
	case u.running:
		u.again = true
	default:
		u.start()
	}
}

// start runs evaluations until none is asked for. The caller holds u.mu.
func (u *unit) start() {
	u.running = true
	if u.timer != nil {
		u.timer.Stop()
	}
	u.engine.running.Add(1)
	go u.run()
}

func (u *unit) run() {
	defer u.engine.running.Done()
	for {
		if u.finished(u.turn()) {
			return
		}
	}
}

// turn is one evaluation, from its place in the queue on. It returns how long
// to wait for the next.
func (u *unit) turn() time.Duration {
	e := u.engine
	for {
		next, lane, serves := u.upcoming()
		if !serves {
			return u.guarded(u.lookBack)
		}
		if next != nil && !u.awaitFlights(next) {
			return shortest
		}
		leave, ok := e.lanes.enter(lane, e.draining.Done())
		if !ok {
			return shortest
		}
		if !u.takeSetup(next) {
			leave()
			continue
		}
		wait := u.guarded(func() time.Duration {
			if next != nil {
				u.settleIn()
			}
			u.restoreTargets(e.draining)
			return u.evaluate(e.ctx, e.draining)
		})
		u.landed()
		leave()
		return wait
	}
}

// upcoming is the setup that the next evaluation takes over, nil where it keeps
// its own, and where it queues. False: the unit leaves.
func (u *unit) upcoming() (next *setup, lane string, serves bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	lane = u.setup.lane
	if u.next != nil {
		lane = u.next.lane
	}
	return u.next, lane, u.stage == serving
}

// finished ends the run, and sets the timer for the next or, where the unit
// has left and nothing of it is open, closes its targets.
func (u *unit) finished(wait time.Duration) bool {
	u.mu.Lock()
	if u.again && u.stage == serving {
		u.again = false
		u.mu.Unlock()
		return false
	}
	u.running, u.again = false, false
	if u.stage == serving || !u.mayGo() {
		u.timer = time.AfterFunc(wait, u.wake)
		u.mu.Unlock()
		return true
	}
	u.stage = gone
	u.victims.Leave()
	u.closeTargets(u.remaining())
	u.mu.Unlock()
	u.engine.gone(u)
	return true
}

// reconfigure hands over a new setup.
func (u *unit) reconfigure(s *setup) {
	u.mu.Lock()
	if u.next != nil {
		s.shed = append(s.shed, u.next.shed...)
	}
	u.next = s
	u.mu.Unlock()
}

// takeSetup puts the new setup in force between two evaluations, where it is
// the one that was cleared, and begins the flight of the next. False: there is
// a newer one, or the unit leaves.
func (u *unit) takeSetup(cleared *setup) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.next != cleared || u.stage != serving {
		return false
	}
	if cleared != nil {
		u.setup, u.next = cleared, nil
	}
	u.flight = make(chan struct{})
	return true
}

// landed ends the flight.
func (u *unit) landed() {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.flight)
	u.flight = nil
}

// victimsOf are the targets as those see them who choose which replicas go.
func victimsOf(targets []boundTarget) []victims.Target {
	out := make([]victims.Target, len(targets))
	for i, t := range targets {
		out[i] = victims.Target{Name: t.name, Platform: t.platform, Target: t.target, Rule: t.victims, Hook: t.hook}
	}
	return out
}

func setOf(targets []boundTarget) map[string]bool {
	out := make(map[string]bool, len(targets))
	for _, t := range targets {
		out[t.name] = true
	}
	return out
}

func namesOf(targets []boundTarget) []string {
	out := make([]string, len(targets))
	for i, t := range targets {
		out[i] = t.name
	}
	return out
}

// settleIn closes what a new setup sheds.
func (u *unit) settleIn() {
	shed, gone := u.setup.shed, u.setup.gone()
	u.victims.Reconfigure(u.setup.scaleTarget, victimsOf(u.setup.targets), setOf(gone))
	u.closeTargets(shed)
	for _, t := range shed {
		delete(u.restored, t.target)
	}
	u.forget(gone)
	u.actions.Judge(rulesOf(u.setup))
	if u.actions.Reconfigured(namesOf(shed), u.setup.fingerprint, u.engine.opts.Now()) {
		level.Info(u.logger).Log("msg", "the configuration of the policy has changed, so its targets are asked again")
	}
	u.setup.shed = nil
}

// forget drops what is known of targets that are gone. One of the same name
// is read before anything is decided by it.
func (u *unit) forget(gone []boundTarget) {
	for _, t := range gone {
		u.reads = slices.DeleteFunc(u.reads, func(r reading) bool { return r.name == t.name })
		u.history.Remember(t.name, func(m *policy.TargetMemory) {
			m.Requested, m.Ready, m.Asked, m.Stands = nil, 0, nil, policy.Standing{}
		})
	}
}

// remaining are all targets the unit still holds. The caller holds u.mu.
func (u *unit) remaining() []boundTarget {
	all := u.setup.targets
	if u.next != nil {
		all = append(append([]boundTarget(nil), u.next.targets...), u.next.shed...)
	}
	return all
}

// publish replaces the view. It is called by the evaluation in flight.
func (u *unit) publish(d *policy.Decision) {
	now := u.engine.opts.Now()
	u.view.Store(&view{
		setup: u.setup, last: d, reads: slices.Clone(u.reads), history: u.history.Clone(), open: u.actions.Open(), draining: u.victims.Draining(),
		progress: u.progress(), at: now, paused: u.paused.Load().Active(now),
	})
}
