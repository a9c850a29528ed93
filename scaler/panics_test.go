package scaler

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// also adds a policy on a scripted target of its own.
func (w *world) also(name string, n int) {
	w.t.Helper()
	w.platform[name] = newScripted(n)
	c := *w.config
	c.Policies = append(slices.Clone(c.Policies), w.configFor(name, nil).Policies...)
	w.reload(&c)
	synctest.Wait()
}

// panicking is a platform whose methods panic on demand.
type panicking struct {
	*scripted
	in   string
	over atomic.Bool // it panics no more
}

func (p *panicking) panics(in string) bool { return p.in == in && !p.over.Load() }

func (p *panicking) Current(ctx context.Context) (target.State, error) {
	if p.panics("current") {
		panic("current of nothing")
	}
	return p.scripted.Current(ctx)
}

func (p *panicking) Scale(ctx context.Context, n int) error {
	if p.panics("scale") {
		panic("scale of nothing")
	}
	return p.scripted.Scale(ctx, n)
}

type panickingConfig struct {
	scriptedConfig
	it *panicking
}

func (c *panickingConfig) New(target.Options) (target.Target, error) {
	if c.it.in == "new" {
		panic("new of nothing")
	}
	return c.it, nil
}

// panickingUsage panics where it is told to.
type panickingUsage struct {
	fixedUsage
	in   string
	over atomic.Bool
}

func (u *panickingUsage) Read(ctx context.Context, now time.Time, qs []usage.Query) []policy.Usage {
	if u.in == "read" && !u.over.Load() {
		none := make([]policy.Usage, 0, 1)
		_ = none[len(qs)]
	}
	return u.fixedUsage.Read(ctx, now, qs)
}

func (u *panickingUsage) Past(context.Context, usage.Query, time.Time, time.Time, time.Duration) ([]objective.Sample, error) {
	if u.in == "past" && !u.over.Load() {
		panic("no past")
	}
	return nil, nil
}

// wantHeld checks that "web" is held by an internal error, that this is counted
// and explained, and that "other" goes on.
func wantHeld(t *testing.T, w *world, component, says string) {
	t.Helper()
	d := w.last("web")
	if d.Reason != policy.ReasonInternalError || d.Desired != d.Current || d.Act {
		t.Errorf("the policy is not held: %s", d.Explain())
	}
	if s, _ := w.engine.Status("web"); !strings.Contains(s.Explanation, says) || !strings.Contains(s.Explanation, "internal error") {
		t.Errorf("explained as %q, want %q in it", s.Explanation, says)
	}
	if n := counter(t, w.reg, "alertscaler_panics_recovered_total", "component", component); n < 1 {
		t.Errorf("%g panics counted in the %s", n, component)
	}
	if n := gauge(t, w.reg, "alertscaler_safe_to_autoscale"); n != 0 {
		t.Errorf("safe to autoscale: %g", n)
	}
	before := w.platform["other"].calls()
	w.fire("other", policy.Up)
	w.wait(2 * time.Second)
	if after := w.platform["other"].calls(); len(after) != len(before)+1 {
		t.Errorf("the other policy asked for %v", after)
	}
}

// TestAPanicHoldsItsPolicyAlone, wherever it comes about, and nothing of it
// stays once it comes about no more.
func TestAPanicHoldsItsPolicyAlone(t *testing.T) {
	for in, component := range map[string]string{"current": componentReading, "scale": componentAction} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				w.also("other", 2)
				p := &panicking{scripted: w.platform["web"], in: in}
				c := *w.config
				c.Policies = slices.Clone(c.Policies)
				web := *c.Policies[0]
				one := *web.Targets[0]
				one.Platform = &panickingConfig{scriptedConfig: scriptedConfig{Name: "web"}, it: p}
				web.Targets = []*config.Target{&one}
				c.Policies[0] = &web
				w.reload(&c)
				w.fire("web", policy.Up)
				w.wait(time.Second)
				wantHeld(t, w, component, in+" of nothing")

				p.over.Store(true)
				w.wait(2 * time.Minute)
				if got, _ := p.Current(t.Context()); got.Requested < 3 {
					d := w.last("web")
					t.Errorf("%d replicas once nothing panics: %s", got.Requested, d.Explain())
				}
				if states := w.actions(); slices.Contains(states, ledger.Intended) {
					t.Errorf("an action stays open: %v", states)
				}
			})
		})
	}
}

func TestAPanicWhileUsageIsRead(t *testing.T) {
	for in, component := range map[string]string{"read": componentEvaluation, "past": learning.ComponentPast} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				w.also("other", 2)
				reader := &panickingUsage{in: in, fixedUsage: fixedUsage{policy.Usage{Resource: "cpu", Value: 5, CapacityPerReplica: 1}}}
				w.usage = reader
				c := *w.config
				c.Prometheus = &config.Prometheus{}
				c.Policies = slices.Clone(c.Policies)
				web := *c.Policies[0]
				web.Resources = []*config.Resource{{Name: "cpu"}}
				web.Reservation.Objective.Share = 0.9
				c.Policies[0] = &web
				w.reload(&c)
				w.wait(time.Second)
				wantHeld(t, w, component, "")
				reader.over.Store(true)
				w.wait(20 * time.Second)
				if d := w.last("web"); d.Reason == policy.ReasonInternalError {
					t.Errorf("still held: %s", d.Explain())
				}
			})
		})
	}
}

// TestATargetWhoseBuildingPanicsIsRefused, and the old configuration goes on.
func TestATargetWhoseBuildingPanicsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		c := *w.config
		c.Policies = slices.Clone(c.Policies)
		web := *c.Policies[0]
		one := *web.Targets[0]
		one.Platform = &panickingConfig{it: &panicking{in: "new"}}
		web.Targets = []*config.Target{&one}
		c.Policies[0] = &web
		_, err := w.engine.Prepare(t.Context(), &c)
		if err == nil || !strings.Contains(err.Error(), "new of nothing") || !strings.Contains(err.Error(), `policy "web"`) {
			t.Errorf("got %v", err)
		}
		w.fire("web", policy.Up)
		w.wait(time.Second)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{3}) {
			t.Errorf("the old configuration asked for %v", got)
		}
	})
}

// panickingHook panics instead of draining.
type panickingHook struct{}

func (panickingHook) Timeout() time.Duration { return time.Minute }
func (panickingHook) Wait(context.Context, drain.Request, func(error)) error {
	panic("drain of nothing")
}
func (panickingHook) Tell(context.Context, drain.Request) error { panic("tell of nothing") }

// TestADrainHookThatPanics: the replica has its time, and then goes.
func TestADrainHookThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w := newWorld(t, 1, nil)
		u := &loadsOnly{}
		w.usage = u
		w.engine.opts.NewDrain = func(drain.Config) (victims.Drainer, error) { return panickingHook{}, nil }
		w.reload(w.configNamed(n, &config.Victims{Query: "players"}, &drain.Config{}))
		w.wait(time.Second)
		u.set(map[string]float64{"a": 4, "b": 1, "c": 3, "d": 2}, nil)
		w.fire("web", policy.Down)
		w.wait(30 * time.Second)
		w.expect("not known to be drained", 4, policy.ReasonConverging)
		w.wait(time.Minute)
		if n.left() != "a c" {
			t.Errorf("%s are left after their time", n.left())
		}
		if got := counter(t, w.reg, "alertscaler_panics_recovered_total", "component", componentDrain); got != 2 {
			t.Errorf("%g panics counted", got)
		}
	})
}
