package scaler

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// UsageHistory is a Usage that also knows the past.
type UsageHistory interface {
	// Past returns what one resource used from after from until to, a sample a
	// step, oldest first. What is unknown is left out. It is safe for
	// concurrent use.
	Past(ctx context.Context, q usage.Query, from, to time.Time, step time.Duration) ([]objective.Sample, error)
}

const (
	// learningSamples is how many samples stand in the history before all that
	// was learnt is written down.
	learningSamples = 20
	// pastReach is how far back usage is read: two days, so that a season of a
	// day is known at once.
	pastReach = 48 * time.Hour
	// pastAgain is how long to wait before a past that could not be read is
	// asked for again, and pastTries how often.
	pastAgain = 5 * time.Minute
	pastTries = 12
	// assumedProvisioning is how long a replica is taken to need where that
	// was neither measured nor configured.
	assumedProvisioning = time.Minute
	// fits is the share of the ready capacity above which usage may be more
	// than there is. Where that is someone else's doing, who took replicas
	// away, it says nothing about what this policy should keep free; and
	// nothing does for some time afterwards, since usage is a mean.
	fits       = 0.95
	afterwards = 2 * time.Minute
)

// learning is what a unit knows of one resource with an objective.
type learning struct {
	learner *objective.Learner
	// interval of the evaluations that it was made for.
	interval time.Duration
	// pastAt is when to ask for the past, and pastTried how often that was
	// tried; after pastTries there is no more to ask for.
	pastAt    time.Time
	pastTried int
	// bound is set from when the number of replicas was not the policy's to
	// choose until there are enough of them again.
	bound bool
	// due is set where the ledger should have all that was learnt.
	due bool
}

// learn gives what was read to the learners, and what they say to the
// decision. Only what is fully known is learnt from.
func (u *unit) learn(ctx context.Context, now time.Time, ready int, o *policy.Observation) {
	u.forgetLearnt()
	rules := &u.setup.rules
	starved, bound := false, u.bound(now, o)
	for i := range rules.Resources {
		name := rules.Resources[i].Name
		share := rules.Objective(&rules.Resources[i])
		if share == 0 {
			continue
		}
		k := u.learningOf(name, share)
		provisioning := u.provisioning()
		u.readPast(ctx, k, name, share, now, provisioning)
		for j := range o.Usage {
			r := &o.Usage[j]
			if r.Resource != name {
				continue
			}
			enough := r.Value < fits*float64(ready)*r.CapacityPerReplica
			switch {
			case r.Problem != "":
			case !u.history.TakenAway.IsZero() && !enough:
				starved = true
			default:
				k.bound = bound || k.bound && !enough
				u.observeSample(k, name, objective.Sample{
					At: now, Usage: r.Value, Capacity: r.CapacityPerReplica, Ready: ready, Provisioning: provisioning, Bound: k.bound,
				})
			}
			if reading, ok := k.learner.Reading(r.Value); ok {
				r.Learnt = &reading
			}
		}
	}
	if !starved && now.Sub(u.history.TakenAway) >= afterwards {
		u.history.TakenAway = time.Time{}
	}
}

// bound reports whether more replicas than there are would not be the policy's
// to have, by what holds it now or held its last decision.
func (u *unit) bound(now time.Time, o *policy.Observation) bool {
	if u.setup.rules.Mode == policy.ModeOff || o.Pause.Active(now) || len(o.BlockUp) > 0 {
		return true
	}
	requested := 0
	for i := range o.Targets {
		requested += o.Targets[i].Requested
	}
	if _, most := u.setup.rules.Bounds(o.Targets); requested >= most {
		return true
	}
	v := u.view.Load()
	if v == nil || v.last == nil {
		return false
	}
	switch v.last.Reason {
	case policy.ReasonBudgetLimited, policy.ReasonTargetBackoff, policy.ReasonTargetFailed, policy.ReasonNotLeader:
		return true
	default:
		return false
	}
}

// observeSample lets the learner have one sample, and the history remember it
// until the learner's state is written.
func (u *unit) observeSample(k *learning, resource string, s objective.Sample) {
	if !k.learner.Observe(s) {
		return
	}
	if u.history.Learning == nil {
		u.history.Learning = make(map[string][]objective.Sample)
	}
	u.history.Learning[resource] = append(u.history.Learning[resource], s)
	k.due = k.due || len(u.history.Learning[resource]) >= learningSamples
}

// forgetLearnt forgets the resources that have no objective any more, or are
// gone: here, in the history and in the ledger.
func (u *unit) forgetLearnt() {
	rules := &u.setup.rules
	learns := func(resource string) bool {
		return slices.ContainsFunc(rules.Resources, func(r policy.Resource) bool {
			return r.Name == resource && rules.Objective(&r) > 0
		})
	}
	forget := func(resource string) {
		delete(u.learnings, resource)
		delete(u.history.Learning, resource)
		if !slices.Contains(u.forgotten, resource) {
			u.forgotten = append(u.forgotten, resource)
		}
	}
	for resource := range u.learnings {
		if !learns(resource) {
			forget(resource)
		}
	}
	for resource := range u.history.Learning {
		if !learns(resource) {
			forget(resource)
		}
	}
	if u.unlearnt {
		return
	}
	// The objective may have been removed while the server was down.
	u.unlearnt = true
	for i := range rules.Resources {
		name := rules.Resources[i].Name
		if learns(name) {
			continue
		}
		if state, err := u.engine.opts.Ledger.Learnt(u.name, name); err == nil && len(state) > 0 {
			forget(name)
		}
	}
}

// learningOf is what is known of a resource. What the last run left is taken
// over from the ledger: the state that was written last, and the samples since.
func (u *unit) learningOf(resource string, share float64) *learning {
	if k := u.learnings[resource]; k != nil && k.interval == u.setup.interval {
		k.learner.SetObjective(share)
		return k
	}
	k := &learning{learner: objective.New(share, u.setup.interval), interval: u.setup.interval}
	var state []byte
	var err error
	if !slices.Contains(u.forgotten, resource) {
		state, err = u.engine.opts.Ledger.Learnt(u.name, resource)
	}
	if err == nil && len(state) > 0 {
		err = k.learner.Restore(state)
		if ahead := k.learner.NotAfter(u.engine.opts.Now()); ahead > 0 {
			wasAhead(u.logger, u.name, policy.Ahead{What: "what was learnt of " + resource, By: ahead})
		}
	}
	if err != nil {
		level.Warn(u.logger).Log("msg", "what was learnt is lost, learning anew", "resource", resource, "err", err)
	}
	for _, s := range u.history.Learning[resource] {
		if s.At.After(k.learner.Last()) {
			k.learner.Observe(s)
			k.bound = s.Bound
		}
	}
	if u.learnings == nil {
		u.learnings = make(map[string]*learning)
	}
	u.learnings[resource] = k
	return k
}

// provisioning is how long the slowest of the policy's targets takes.
func (u *unit) provisioning() time.Duration {
	longest := time.Duration(0)
	for i := range u.setup.rules.Targets {
		longest = max(longest, u.history.ProvisioningOf(&u.setup.rules.Targets[i]))
	}
	if longest == 0 {
		return assumedProvisioning
	}
	return longest
}

// readPast fills in what the learner has not seen, where the reader of usage
// knows it: the days before its first sample, or the time that the server was
// down. What the learner has meanwhile seen itself is among it.
func (u *unit) readPast(ctx context.Context, k *learning, resource string, share float64, now time.Time, provisioning time.Duration) {
	past, ok := u.setup.usage.(UsageHistory)
	if !ok || k.pastTried >= pastTries || now.Before(k.pastAt) {
		return
	}
	tick := k.learner.Tick()
	from := now.Add(-pastReach)
	// What has gone on meanwhile, or has hardly begun, is in the past too.
	r, known := k.learner.Reading(0)
	anew := k.pastTried > 0 || known && r.Cold
	if !anew && k.learner.Last().After(from) {
		from = k.learner.Last()
	}
	if now.Sub(from) <= 2*tick {
		k.pastTried = pastTries
		return
	}
	query, ok := u.setup.queryOf(resource)
	if !ok {
		return
	}
	var samples []objective.Sample
	err := recovery.Do(componentPast, func() (err error) {
		samples, err = past.Past(ctx, query, from, now.Add(-tick), tick)
		return err
	})
	if err != nil {
		k.pastTried++
		k.pastAt = now.Add(pastAgain)
		if p := recovery.Of(err); p != nil {
			panic(p)
		}
		level.Warn(u.logger).Log("msg", "past usage cannot be read, learning from now on", "resource", resource, "from", from, "err", err)
		return
	}
	learner := k.learner
	if anew {
		learner = objective.New(share, u.setup.interval)
	}
	k.pastTried = pastTries
	before := learner.Observations()
	for _, s := range samples {
		s.Provisioning = provisioning
		learner.Observe(s)
	}
	if learner.Observations() < k.learner.Observations() {
		return
	}
	k.learner = learner
	k.due = k.due || learner.Observations() > before
	level.Info(u.logger).Log("msg", "learnt from past usage", "resource", resource, "from", from, "samples", learner.Observations()-before)
}

// progress is how far learning has come.
type progress struct {
	observations int64
	realised     float64
}

// progress is that of each resource that something was learnt of.
func (u *unit) progress() map[string]progress {
	if len(u.learnings) == 0 {
		return nil
	}
	all := make(map[string]progress, len(u.learnings))
	for resource, k := range u.learnings {
		// What was observed and realised is the same at any usage.
		if r, ok := k.learner.Reading(0); ok {
			all[resource] = progress{r.Observations, r.Realised}
		}
	}
	return all
}

func (s *setup) queryOf(resource string) (usage.Query, bool) {
	for _, q := range s.queries {
		if q.Resource == resource {
			return q, true
		}
	}
	return usage.Query{}, false
}

// learnt is what the ledger should take over now of what was learnt, with the
// history that goes with it.
func (u *unit) learnt() []ledger.Learnt {
	var all []ledger.Learnt
	for _, resource := range u.forgotten {
		all = append(all, ledger.Learnt{Policy: u.name, Resource: resource})
	}
	u.forgotten = nil
	for resource, k := range u.learnings {
		if !k.due {
			continue
		}
		state, err := k.learner.MarshalBinary()
		if err != nil {
			level.Error(u.logger).Log("msg", "what was learnt is not written", "resource", resource, "err", err)
			continue
		}
		k.due = false
		delete(u.history.Learning, resource)
		all = append(all, ledger.Learnt{Policy: u.name, Resource: resource, State: state})
	}
	return all
}
