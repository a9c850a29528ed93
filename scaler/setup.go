package scaler

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

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

func (s *setup) find(name string) (boundTarget, bool) {
	for _, t := range s.targets {
		if t.name == name {
			return t, true
		}
	}
	return boundTarget{}, false
}

func (s *setup) owns(identity string) bool {
	for _, t := range s.targets {
		if t.config.Identity() == identity {
			return true
		}
	}
	return false
}

// rulesOf are those by which the outcomes of a policy are judged.
func rulesOf(s *setup) action.Rules {
	return action.Rules{Policy: &s.rules, Interval: s.interval, ProvisioningTimeout: s.provisioningTimeout}
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

// setupFor builds one policy's setup, for the unit that it has, if any, and
// returns the targets it had to build, also where it fails half-way.
func (e *Engine) setupFor(c *config.Config, p *config.Policy, reader Usage, has *unit) (*setup, []boundTarget, error) {
	s := &setup{
		rules:               c.Rules(p),
		scaleTarget:         p.ScaleTarget,
		discovery:           p.Discovery,
		usage:               reader,
		queries:             QueriesFor(p),
		interval:            p.EvaluationInterval.Std(),
		provisioningTimeout: p.ProvisioningTimeout.Std(),
		fingerprint:         p.Fingerprint(),
	}
	s.lane = laneOf(p)
	var old []boundTarget
	if has != nil {
		old = has.runner.held()
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
