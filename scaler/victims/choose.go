package victims

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// choice is which replicas of a target may go.
type choice struct {
	// unmade are replicas that were asked for and that nobody has made yet.
	// Whatever is wanted, they are the first not to be.
	unmade int
	// order are the others, the first to go first.
	order []candidate
	// protected is how many must stay, and why.
	protected int
	why       string
}

// candidate is a replica that may go.
type candidate struct {
	target.Replica
	// idle is set where it is not ready and nobody knows of any load: there is
	// nothing to be drained.
	idle bool
}

// first are the replicas that go where n are to go. The zero choice knows
// none.
func (c choice) first(n int) []candidate {
	return c.order[:min(max(0, n-c.unmade), len(c.order))]
}

// Choose finds out which replicas may go, of the targets where somebody may
// choose, and has the others protected in o. While nothing can go down nobody is
// asked, and all stay. The targets of o are in the order of the policy's.
func (s *State) Choose(ctx context.Context, now time.Time, rules *policy.Policy, loads Loads, o *policy.Observation) {
	s.choices = nil
	asked := canFall(rules, o)
	for i, t := range s.targets {
		if t.Rule == nil && t.Hook == nil {
			continue
		}
		state := &o.Targets[i]
		if !asked {
			state.Protected, state.ProtectedBy = state.Requested, "nobody has asked which may go"
			continue
		}
		c, err := s.choose(ctx, now, t, loads, state.Requested)
		if err != nil {
			state.Protected, state.ProtectedBy = state.Requested, err.Error()
			continue
		}
		state.Protected, state.ProtectedBy = c.protected, c.why
		if s.choices == nil {
			s.choices = make(map[string]choice, 1)
		}
		s.choices[t.Name] = c
	}
}

// canFall reports whether the decision may be for fewer replicas of a target.
func canFall(p *policy.Policy, o *policy.Observation) bool {
	if o.Direction() == policy.Down {
		return true
	}
	switch p.OnMissing.Behavior {
	case policy.MissingStatic, policy.MissingCurrentIfHigher:
		return true
	case policy.MissingHold, policy.MissingAlertStep:
	}
	n := 0
	for i := range o.Targets {
		if o.Targets[i].Stuck > 0 {
			return true
		}
		n += o.Targets[i].Requested
	}
	_, highest := p.Bounds(o.Targets)
	return n > highest
}

// choose reads one target's replicas and their load.
func (s *State) choose(ctx context.Context, now time.Time, t Target, loads Loads, requested int) (choice, error) {
	v, ok := t.Target.(target.Victims)
	if !ok {
		return choice{}, fmt.Errorf("nobody can choose which replicas of a %s go", t.Platform)
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.PlatformTimeout)
	defer cancel()
	replicas, err := v.Replicas(ctx)
	if err != nil {
		return choice{}, fmt.Errorf("which replicas there are cannot be read: %w", err)
	}
	s.listed(t.Name, replicas.List)
	var carries map[string]float64
	if t.Rule != nil {
		label := cmp.Or(t.Rule.Label, replicas.Label)
		if carries, err = loads.Loads(ctx, now, t.Rule.Query, label); err != nil {
			return choice{}, fmt.Errorf("nobody knows their load: %w", err)
		}
	}
	return rank(replicas, requested, t.Rule, carries, func(id string) bool { return s.find(t.Name, id) != nil }), nil
}

// rank orders the replicas that may go: what nobody misses, what is being
// drained already, and then by load, the least first. Whose load is not known
// stays, for it may be the busiest of all.
func rank(r target.Replicas, requested int, v *config.Victims, loads map[string]float64, draining func(id string) bool) choice {
	type ranked struct {
		candidate
		load     float64
		draining bool
	}
	var (
		free          []ranked
		busy, unknown int
		stuck         bool // a replica that goes before all others must stay
		loadOf        = lookup(loads)
	)
	for i := range r.List {
		it := ranked{candidate: candidate{Replica: r.List[i]}}
		it.draining = draining(it.ID)
		known := true
		if v != nil {
			it.load, known = loadOf(&it.Replica)
		}
		it.idle = !it.Ready && (v == nil || !known)
		stays := true
		switch {
		case !known && it.Ready:
			unknown++
		case v != nil && v.ProtectAbove != nil && it.load > *v.ProtectAbove:
			busy++
		default:
			stays = false
		}
		switch {
		case stays:
			stuck = stuck || r.Fixed || (r.UnreadyFirst && !it.Ready)
		case !r.Fixed || !stuck:
			free = append(free, it)
		}
	}
	if stuck && !r.Fixed {
		free = nil
	}
	if !r.Fixed {
		slices.SortStableFunc(free, func(a, b ranked) int {
			return cmp.Or(
				-compareBool(r.UnreadyFirst && !a.Ready, r.UnreadyFirst && !b.Ready),
				-compareBool(a.idle, b.idle),
				-compareBool(a.draining, b.draining),
				cmp.Compare(a.load, b.load),
			)
		})
	}
	c := choice{unmade: max(0, requested-len(r.List)-r.Kept)}
	for _, f := range free {
		c.order = append(c.order, f.candidate)
	}
	// There may be more than requested, as in a rollout: all that must stay do,
	// and all that the platform keeps.
	c.protected = min(requested, len(r.List)+r.Kept-len(c.order))
	c.why = why(v, busy, unknown, r.Kept, stuck)
	return c
}

// why says what keeps replicas from going.
func why(v *config.Victims, busy, unknown, kept int, stuck bool) string {
	var reasons []string
	if busy > 0 {
		reasons = append(reasons, fmt.Sprintf("%d have a load above %s", busy, strconv.FormatFloat(*v.ProtectAbove, 'g', -1, 64)))
	}
	if unknown > 0 {
		reasons = append(reasons, fmt.Sprintf("nobody knows the load of %d", unknown))
	}
	if kept > 0 {
		reasons = append(reasons, fmt.Sprintf("the platform keeps %d", kept))
	}
	s := strings.Join(reasons, ", and ")
	if stuck {
		s += ", and the platform would let them go before others"
	}
	return s
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// lookup finds the load of a replica by any of its names. A series may name it
// by an address with a port that the platform knows nothing of, as long as no
// other series has that address.
func lookup(loads map[string]float64) func(*target.Replica) (float64, bool) {
	byHost := make(map[string][]float64)
	for name, load := range loads {
		if host, _, err := net.SplitHostPort(name); err == nil {
			byHost[host] = append(byHost[host], load)
		}
	}
	return func(r *target.Replica) (float64, bool) {
		names := append([]string{r.Name, r.ID, r.Address}, r.Aliases...)
		for _, n := range names {
			if load, ok := loads[n]; ok && n != "" {
				return load, true
			}
		}
		for _, n := range names {
			if found := byHost[n]; n != "" && len(found) == 1 {
				return found[0], true
			}
		}
		return 0, false
	}
}
