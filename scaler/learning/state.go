package learning

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// Store has what was written of what was learnt. It is safe for concurrent use.
type Store interface {
	// Learnt is the state that was written last of a resource; nil where none
	// was.
	Learnt(policyName, resource string) ([]byte, error)
}

const (
	// unwritten is how many samples stand in the history before all that was
	// learnt is written down.
	unwritten = 20
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

// Options are what a State is made of. All but Store are required.
type Options struct {
	Policy string
	// Store has what was learnt; nil: nobody will read it, so that nothing is
	// remembered for it.
	Store Store
	// Now is the clock, and Ahead is told of what was written by one that was
	// later.
	Now    func() time.Time
	Ahead  func(policy.Ahead)
	Logger log.Logger
}

// State is what one policy has learnt. It belongs to whoever evaluates the
// policy, and is not safe for concurrent use.
type State struct {
	opts Options
	// resources are those that something may be learnt of.
	resources map[string]*resource
	// forgotten are resources of which the store is to keep nothing; looked is
	// set once it was looked through for those.
	forgotten []string
	looked    bool
}

// resource is what is known of one resource with an objective.
type resource struct {
	learner *objective.Learner
	past    past
	// bound is set from when the number of replicas was not the policy's to
	// choose until there are enough of them again.
	bound bool
	// due is set where the store should have all that was learnt.
	due bool
}

// New returns a state in which nothing is learnt. What the last run left is
// taken over as it is needed.
func New(o Options) *State { return &State{opts: o} }

// Evaluation is what one evaluation of the policy knows.
type Evaluation struct {
	Now      time.Time
	Rules    *policy.Policy
	Interval time.Duration
	// Ready is how many replicas serve; that is known.
	Ready int
	// Bound is set where more of them would not be the policy's to have, see
	// Bound.
	Bound bool
	// Past and Queries are what past usage is read with; a Past of nil knows
	// nothing.
	Past    Past
	Queries []usage.Query
}

// Observe gives what was read to the learners, and what they say to the
// readings. Only what is fully known is learnt from. The history remembers each
// sample until the learner's state is written.
func (s *State) Observe(ctx context.Context, e Evaluation, readings []policy.Usage, h *policy.History) {
	s.forgetOthers(e.Rules, h)
	provisioning := slowest(e.Rules, h)
	starved := false
	for i := range e.Rules.Resources {
		name := e.Rules.Resources[i].Name
		goal := e.Rules.Objective(&e.Rules.Resources[i])
		if goal.IsZero() {
			continue
		}
		k := s.of(name, goal, e.Interval, h)
		s.readPast(ctx, k, name, goal, &e, provisioning)
		for j := range readings {
			r := &readings[j]
			if r.Resource != name {
				continue
			}
			enough := r.Value < fits*float64(e.Ready)*r.CapacityPerReplica
			switch {
			case r.Problem != "":
			case !h.TakenAway.IsZero() && !enough:
				starved = true
			default:
				k.bound = e.Bound || k.bound && !enough
				s.observe(k, name, objective.Sample{
					At: e.Now, Usage: r.Value, Capacity: r.CapacityPerReplica,
					Ready: e.Ready, NoneReady: e.Ready == 0, Provisioning: provisioning, Bound: k.bound,
				}, h)
			}
			if reading, ok := k.learner.Reading(r.Value); ok {
				r.Learnt = &reading
			}
		}
	}
	if !starved && e.Now.Sub(h.TakenAway) >= afterwards {
		h.MadeUp()
	}
}

// Bound reports whether more replicas than there are would not be the policy's
// to have, by what holds it now or held its last decision; nil: there was none.
func Bound(rules *policy.Policy, o *policy.Observation, last *policy.Decision, now time.Time) bool {
	if rules.Mode == policy.ModeOff || o.Pause.Active(now) || len(o.BlockUp) > 0 {
		return true
	}
	requested := 0
	for i := range o.Targets {
		requested += o.Targets[i].Requested
	}
	if _, most := rules.Bounds(o.Targets); requested >= most {
		return true
	}
	if last == nil {
		return false
	}
	switch last.Reason {
	case policy.ReasonBudgetLimited, policy.ReasonTargetBackoff, policy.ReasonTargetFailed, policy.ReasonNotLeader:
		return true
	default:
		return false
	}
}

// slowest is how long the slowest of the policy's targets takes.
func slowest(rules *policy.Policy, h *policy.History) time.Duration {
	longest := time.Duration(0)
	for i := range rules.Targets {
		longest = max(longest, h.ProvisioningOf(&rules.Targets[i]))
	}
	if longest == 0 {
		return assumedProvisioning
	}
	return longest
}

// observe lets the learner have one sample, and the history remember it until
// the learner's state is written.
func (s *State) observe(k *resource, name string, sample objective.Sample, h *policy.History) {
	if k.learner.Observe(sample) && s.opts.Store != nil {
		n := h.Learnt(name, sample)
		k.due = k.due || n >= unwritten
	}
}

// forgetOthers forgets the resources that have no objective any more, or are
// gone: here, in the history and in the store.
func (s *State) forgetOthers(rules *policy.Policy, h *policy.History) {
	learns := func(name string) bool {
		return slices.ContainsFunc(rules.Resources, func(r policy.Resource) bool {
			return r.Name == name && !rules.Objective(&r).IsZero()
		})
	}
	for name := range s.resources {
		if !learns(name) {
			s.forget(name, h)
		}
	}
	for name := range h.Learning {
		if !learns(name) {
			s.forget(name, h)
		}
	}
	if s.looked {
		return
	}
	// The objective may have been removed while the server was down.
	s.looked = true
	for i := range rules.Resources {
		name := rules.Resources[i].Name
		if learns(name) {
			continue
		}
		if state, err := s.stored(name); err == nil && len(state) > 0 {
			s.forget(name, h)
		}
	}
}

func (s *State) forget(name string, h *policy.History) {
	delete(s.resources, name)
	h.Unlearn(name)
	if !slices.Contains(s.forgotten, name) {
		s.forgotten = append(s.forgotten, name)
	}
}

// of is what is known of a resource. What the last run left is taken over: the
// state that was written last, and the samples since. With another tick learning
// begins anew.
func (s *State) of(name string, goal objective.Goal, interval time.Duration, h *policy.History) *resource {
	if k := s.resources[name]; k != nil && k.learner.Tick() == objective.TickOf(interval) {
		k.learner.SetGoal(goal)
		return k
	}
	k := &resource{learner: objective.New(goal, interval)}
	if err := s.restore(k, name); err != nil {
		level.Warn(s.opts.Logger).Log("msg", "what was learnt is lost, learning anew", "resource", name, "err", err)
	}
	for _, sample := range h.Learning[name] {
		if sample.At.After(k.learner.Last()) {
			k.learner.Observe(sample)
			k.bound = sample.Bound
		}
	}
	if s.resources == nil {
		s.resources = make(map[string]*resource)
	}
	s.resources[name] = k
	return k
}

// restore takes over the written state, unless that is to be forgotten.
func (s *State) restore(k *resource, name string) error {
	if slices.Contains(s.forgotten, name) {
		return nil
	}
	state, err := s.stored(name)
	if err != nil || len(state) == 0 {
		return err
	}
	if was, ok := objective.TickIn(state); ok && was != k.learner.Tick() {
		return fmt.Errorf("it was learnt from a sample every %s, and the evaluation interval now gives one every %s", model.Duration(was), model.Duration(k.learner.Tick()))
	}
	err = k.learner.Restore(state)
	if by := k.learner.NotAfter(s.opts.Now()); by > 0 {
		s.opts.Ahead(policy.Ahead{What: "what was learnt of " + name, By: by})
	}
	return err
}

// stored is what the store has of a resource; nil: nothing.
func (s *State) stored(name string) ([]byte, error) {
	if s.opts.Store == nil {
		return nil, nil
	}
	return s.opts.Store.Learnt(s.opts.Policy, name)
}

// Shift moves what is noted of time along with a correction of the clock by d,
// after which it is now.
func (s *State) Shift(d time.Duration, now time.Time) {
	for _, k := range s.resources {
		k.past.shift(d)
		k.learner.NotAfter(now)
	}
}

// Progress is how far the learning of one resource has come.
type Progress struct {
	Resource string
	// Observations are the samples that it has learnt from, and Last when the
	// newest was made.
	Observations int64
	Last         time.Time
	// Counted is set once it was known how many replicas were ready; until then
	// the other two are unknown. Realised is the share of the time that there
	// was too little, and Lost of the demand that found no capacity, from 0 to 1.
	Counted        bool
	Realised, Lost float64
}

// Progress is that of each resource that something was learnt of, in any order;
// nil: of none.
func (s *State) Progress() []Progress {
	if len(s.resources) == 0 {
		return nil
	}
	all := make([]Progress, 0, len(s.resources))
	for name, k := range s.resources {
		// What was observed and realised is the same at any usage.
		if r, ok := k.learner.Reading(0); ok {
			all = append(all, Progress{Resource: name, Observations: r.Observations, Last: k.learner.Last(), Counted: r.Counted, Realised: r.Realised, Lost: r.Lost})
		}
	}
	return all
}

// Entry is what the store should have of one resource; no State: nothing.
type Entry struct {
	Resource string
	State    []byte
}

// TakeDue returns what the store should take over now, together with the
// history: that does not remember any more what an entry contains. Entries are
// returned once.
func (s *State) TakeDue(h *policy.History) []Entry {
	var all []Entry
	for _, name := range s.forgotten {
		all = append(all, Entry{Resource: name})
	}
	s.forgotten = nil
	for name, k := range s.resources {
		if !k.due {
			continue
		}
		state, err := k.learner.MarshalBinary()
		if err != nil {
			level.Error(s.opts.Logger).Log("msg", "what was learnt is not written", "resource", name, "err", err)
			continue
		}
		k.due = false
		h.Unlearn(name)
		all = append(all, Entry{Resource: name, State: state})
	}
	return all
}
