// Package victims owns which replicas of a policy go when it scales down, and
// that they finish their work before: what each target's replicas carry, the
// order in which they are least missed, and the drain hooks that were called
// and have not been taken back.
//
// It belongs to the evaluation of one policy. What waits for a hook runs in
// goroutines of its own, which change nothing but what they were given, and
// asks for another evaluation when it is done.
package victims

import (
	"context"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Component is where a panic of a hook, or of a target that is asked what became
// of a replica, is recovered.
const Component = "drain"

// Drainer is called before a replica goes, so that it may finish its work. It
// is safe for concurrent use.
type Drainer interface {
	// Timeout is how long one replica may take.
	Timeout() time.Duration
	// Wait returns nil once the replica is done, or the error of ctx; failed is
	// told of every error on the way.
	Wait(ctx context.Context, r drain.Request, failed func(error)) error
	// Tell passes a request on without waiting for anything.
	Tell(ctx context.Context, r drain.Request) error
}

// Loads reads what each replica carries, by the value of the label; what is not
// known is not in it.
type Loads interface {
	Loads(ctx context.Context, now time.Time, expr, label string) (map[string]float64, error)
}

// Target is one of the policy's targets.
type Target struct {
	Name, Platform string
	Target         target.Target
	// Rule says by what load the replicas that go are chosen; nil: the platform
	// chooses.
	Rule *config.Victims
	// Hook is called before a replica goes; nil: nobody is asked.
	Hook Drainer
}

// What becomes of a replica that is to finish its work before it goes.
const (
	Drained   = "drained"
	TimedOut  = "timed_out"
	Cancelled = "cancelled"
)

// Options are what a State needs of the server. All are required.
type Options struct {
	Policy string
	Logger log.Logger
	Guard  *recovery.Guard
	Now    func() time.Time
	// PlatformTimeout bounds one call to a platform.
	PlatformTimeout time.Duration
	// Stopping ends when the server stops. Hooks are told nothing then: it goes
	// on with them when it is back, or their deadlines pass.
	Stopping context.Context
	// Go runs what the server waits for when it stops.
	Go func(func())
	// Wake asks for another evaluation, and never blocks.
	Wake func()
	// Count is told what became of each replica that was to finish its work. It
	// is called concurrently.
	Count func(target, result string)
}

// State is which replicas of one policy may go, and which of them drain. Its
// methods belong to the evaluation in flight.
type State struct {
	opts        Options
	scaleTarget string
	targets     []Target
	// choices are by target, by what was last observed.
	choices map[string]choice
	// drains are by target and ID of the replica: those that are being drained,
	// or were and are still there.
	drains map[string]map[string]*draining
	// heldSince is since when a decision for fewer replicas has waited for
	// something else than the drains; zero: it does not.
	heldSince time.Time
}

// New returns a state of a policy with these targets.
func New(o Options, scaleTarget string, targets []Target) *State {
	return &State{opts: o, scaleTarget: scaleTarget, targets: targets}
}

// Reconfigure takes over the targets of another configuration. Replicas stay
// that are of targets which are gone, or are drained no more; what is being
// drained of the others is looked for, and told, by the new ones: a target that
// was built anew has the replicas of the one before.
func (s *State) Reconfigure(scaleTarget string, targets []Target, gone map[string]bool) {
	s.scaleTarget, s.targets = scaleTarget, targets
	for name, of := range s.drains {
		t := s.target(name)
		if t == nil || gone[name] || t.Hook == nil {
			s.stay(name, values(of), t == nil || gone[name])
		}
	}
	for _, t := range targets {
		for _, it := range s.drains[t.Name] {
			if !it.stays() {
				it.at = t
			}
		}
	}
}

func (s *State) target(name string) *Target {
	for i := range s.targets {
		if s.targets[i].Name == name {
			return &s.targets[i]
		}
	}
	return nil
}

// Spare protects the replicas of targets that are asked for more than was
// decided: whoever is to finish first has not been told to. The states are in
// the order of the targets.
func (s *State) Spare(states []policy.TargetState) {
	for i, t := range s.targets {
		if t.Hook != nil {
			states[i].Protected, states[i].ProtectedBy = states[i].Requested, "they have not been drained"
		}
	}
}

// Names are the names of the replicas that go where n of a target are to go,
// and IDs what their platform calls them. Chosen is false where the platform
// chooses.
func (s *State) Names(targetName string, n int) []string {
	var out []string
	for _, r := range s.choices[targetName].first(n) {
		out = append(out, r.Name)
	}
	return out
}

// IDs are those of Names.
func (s *State) IDs(targetName string, n int) (ids []string, chosen bool) {
	c, chosen := s.choices[targetName]
	first := c.first(n)
	ids = make([]string, len(first))
	for i := range first {
		ids[i] = first[i].ID
	}
	return ids, chosen
}
