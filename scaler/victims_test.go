package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// named is a platform whose replicas can be told apart.
type named struct {
	*scripted

	mu    sync.Mutex
	names []string
	// gone are those that went, in that order.
	gone []string
	// lingers is for how long these are still listed.
	lingers time.Duration
}

func (n *named) Replicas(context.Context) (target.Replicas, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := target.Replicas{Label: "pod"}
	for _, name := range n.names {
		r.List = append(r.List, target.Replica{ID: name, Name: name, Ready: true})
	}
	return r, nil
}

func (n *named) ScaleDown(ctx context.Context, desired int, victims []string) error {
	if err := n.Scale(ctx, desired); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = append(n.gone, victims...)
	if n.lingers > 0 {
		time.AfterFunc(n.lingers, func() {
			for _, v := range victims {
				n.lose(v)
			}
		})
		return nil
	}
	n.names = slices.DeleteFunc(n.names, func(s string) bool { return slices.Contains(victims, s) })
	return nil
}

func (n *named) left() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.names, " ")
}

// namedConfig hands it out.
type namedConfig struct {
	*scriptedConfig
	named *named
}

func (namedConfig) ChoosesVictims() bool                        { return true }
func (c namedConfig) New(target.Options) (target.Target, error) { return c.named, nil }
func newNamed(n int) *named                                     { return &named{scripted: newScripted(n), names: letters(n)} }

func letters(n int) []string { return strings.Split("a b c d e f g h", " ")[:n] }

func (w *world) configNamed(n *named, v *config.Victims, d *drain.Config) *config.Config {
	w.platform["web"] = n.scripted
	c := w.configFor("web", func(p *config.Policy) {
		t := p.Targets[0]
		t.Platform = namedConfig{t.Platform.(*scriptedConfig), n}
		t.Victims, t.Drain = v, d
		p.AlertStep.Down = config.Amount{Replicas: 2}
	})
	c.Prometheus = &config.Prometheus{}
	return c
}

// loadsOnly answers how busy each replica is.
type loadsOnly struct {
	fixedUsage

	mu    sync.Mutex
	loads map[string]float64
	err   error
}

func (l *loadsOnly) Loads(_ context.Context, _ time.Time, expr, label string) (map[string]float64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if expr != "players" || label != "pod" {
		return nil, fmt.Errorf("asked for %q by %q", expr, label)
	}
	return l.loads, l.err
}

// Read is as it was last said to be.
func (l *loadsOnly) Read(ctx context.Context, now time.Time, qs []usage.Query) []policy.Usage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fixedUsage.Read(ctx, now, qs)
}

func (l *loadsOnly) says(u policy.Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reading = u
}

func (l *loadsOnly) set(loads map[string]float64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads, l.err = loads, err
}

func TestTheLeastBusyGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, nil)
		u := &loadsOnly{}
		w.usage = u
		n := newNamed(5)
		zero := 0.0
		w.reload(w.configNamed(n, &config.Victims{Query: "players", ProtectAbove: &zero}, nil))
		w.wait(time.Second)

		u.set(nil, errors.New("connection refused"))
		w.fire("web", policy.Down)
		w.wait(time.Minute)
		w.expect("nobody knows", 5, policy.ReasonBlocked)
		if d := w.last("web"); !strings.Contains(d.Explain(), "2 replicas of t must stay: nobody knows their load: connection refused") {
			t.Errorf("explains %s", d.Explain())
		}

		u.set(map[string]float64{"a": 4, "b": 0, "c": 3, "d": 0, "e": 9}, nil)
		w.wait(20 * time.Second)
		w.expect("two are idle", 3, policy.ReasonCoolingDown)
		if n.left() != "a c e" {
			t.Errorf("%s are left", n.left())
		}
		as, err := w.ledger.Actions(ledger.Query{})
		if err != nil || len(as) != 1 {
			t.Fatalf("%d actions: %v", len(as), err)
		}
		if diff := cmp.Diff([]string{"b", "d"}, as[0].Victims); diff != "" {
			t.Errorf("victims in the ledger (-want +got):\n%s", diff)
		}

		u.set(map[string]float64{"a": 4, "c": 0, "e": 9}, nil)
		w.wait(10 * time.Minute)
		w.expect("one is idle", 2, policy.ReasonBlocked)
		if n.left() != "a e" {
			t.Errorf("%s are left", n.left())
		}
	})
}

// hooks is a drain hook that a test answers for.
type hooks struct {
	mu      sync.Mutex
	timeout time.Duration
	calls   []string
	finish  map[string]chan struct{}
}

func (h *hooks) Timeout() time.Duration { return h.timeout }

func (h *hooks) Wait(ctx context.Context, r drain.Request, _ func(error)) error {
	h.mu.Lock()
	h.calls = append(h.calls, string(r.Action)+" "+r.Replica.Name)
	if h.finish == nil {
		h.finish = make(map[string]chan struct{})
	}
	done := make(chan struct{})
	h.finish[r.Replica.Name] = done
	h.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hooks) Tell(_ context.Context, r drain.Request) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, string(r.Action)+" "+r.Replica.Name)
	return nil
}

func (h *hooks) done(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.finish[name])
}

func (h *hooks) called(t *testing.T, want ...string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.Sort(h.calls)
	if diff := cmp.Diff(want, h.calls); diff != "" {
		t.Errorf("calls of the hook (-want +got):\n%s", diff)
	}
	h.calls = nil
}

func newDraining(t *testing.T, n *named, timeout time.Duration) (*world, *hooks, *loadsOnly) {
	t.Helper()
	w := newWorld(t, 1, nil)
	u, h := &loadsOnly{}, &hooks{timeout: timeout}
	w.usage = u
	w.engine.opts.NewDrain = func(drain.Config) (victims.Drainer, error) { return h, nil }
	w.newDrain = w.engine.opts.NewDrain
	w.reload(w.configNamed(n, &config.Victims{Query: "players"}, &drain.Config{}))
	w.wait(time.Second)
	return w, h, u
}

// drainTwo has b and d of four replicas on their way out.
func drainTwo(t *testing.T, n *named, timeout time.Duration) (*world, *hooks) {
	t.Helper()
	w, h, u := newDraining(t, n, timeout)
	u.set(map[string]float64{"a": 4, "b": 1, "c": 3, "d": 2}, nil)
	w.fire("web", policy.Down)
	w.wait(time.Second)
	h.called(t, "drain b", "drain d")
	return w, h
}

func TestDrainedBeforeTheyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(5)
		w, h, u := newDraining(t, n, 10*time.Minute)
		u.set(map[string]float64{"a": 4, "b": 1, "c": 3, "d": 2, "e": 9}, nil)
		w.fire("web", policy.Down)
		w.wait(time.Second)
		w.expect("being drained", 5, policy.ReasonConverging)
		h.called(t, "drain b", "drain d")
		if s, _ := w.engine.Status("web"); !slices.Equal(s.Targets[0].Draining, []string{"b", "d"}) {
			t.Errorf("status names %v", s.Targets[0].Draining)
		}
		if got := metricValue(t, w.reg, "alertscaler_target_draining_replicas", "target", "t"); got != 2 {
			t.Errorf("%g are being drained", got)
		}

		// Others are less busy by now: whoever drains goes on.
		u.set(map[string]float64{"a": 0, "b": 1, "c": 0, "d": 2, "e": 9}, nil)
		h.done("b")
		w.wait(time.Minute)
		w.expect("one is still at work", 5, policy.ReasonConverging)
		h.called(t)
		h.done("d")
		w.wait(time.Second)
		w.expect("drained", 3, policy.ReasonCoolingDown)
		if n.left() != "a c e" {
			t.Errorf("%s are left", n.left())
		}
		if got := counter(t, w.reg, "alertscaler_drains_total", "result", "drained"); got != 2 {
			t.Errorf("%g were drained", got)
		}
	})
}

func TestDrainHasItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, _ := drainTwo(t, n, 2*time.Minute)
		w.wait(118 * time.Second)
		w.expect("still at work", 4, policy.ReasonConverging)
		w.wait(2 * time.Second)
		w.expect("had their time", 2, policy.ReasonCoolingDown)
		if n.left() != "a c" {
			t.Errorf("%s are left", n.left())
		}
		if got := counter(t, w.reg, "alertscaler_drains_total", "result", "timed_out"); got != 2 {
			t.Errorf("%g had their time", got)
		}
	})
}

func TestAnAlertForMoreEndsTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h := drainTwo(t, n, 10*time.Minute)
		w.fire("web", policy.Up)
		w.wait(time.Second)
		w.expect("more at once", 5, policy.ReasonCoolingDown)
		h.called(t, "cancel b", "cancel d")
		if n.left() != "a b c d" {
			t.Errorf("%s are left", n.left())
		}
		if got := counter(t, w.reg, "alertscaler_drains_total", "result", "cancelled"); got != 2 {
			t.Errorf("%g stayed", got)
		}
	})
}

// TestAReloadWithoutDrain: nobody is left behind who was told to go.
func TestAReloadWithoutDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h := drainTwo(t, n, 10*time.Minute)
		w.reload(w.configNamed(n, &config.Victims{Query: "players"}, nil))
		w.wait(time.Second)
		h.called(t, "cancel b", "cancel d")
		w.expect("nobody is asked any more", 2, policy.ReasonCoolingDown)
		if s, _ := w.engine.Status("web"); s.Targets[0].Draining != nil {
			t.Errorf("status names %v", s.Targets[0].Draining)
		}
	})
}

// TestARemovedPolicyDrainsNobody: whoever was told to go for it may stay.
func TestARemovedPolicyDrainsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h := drainTwo(t, n, 10*time.Minute)
		w.platform["other"] = newScripted(2)
		w.reload(w.configFor("other", nil))
		w.wait(time.Second)
		h.called(t, "cancel b", "cancel d")
	})
}

// TestFailoverTakesNobodyUndrained: what one target does not give up is not
// taken from another whose replicas have not been asked to finish.
func TestFailoverTakesNobodyUndrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h, u := newDraining(t, n, 10*time.Minute)
		u.set(map[string]float64{"a": 4, "b": 1, "c": 3, "d": 2}, nil)
		// The last target gives up its replicas first.
		stubborn := newScripted(4)
		stubborn.onScale = func(context.Context, *scripted, int) error {
			return target.Errorf(target.KindUnauthorized, "scale", "no")
		}
		c := w.configNamed(n, &config.Victims{Query: "players"}, &drain.Config{})
		second := *c.Policies[0].Targets[0]
		second.Name, second.Victims, second.Drain = "u", nil, nil
		second.Platform = &scriptedConfig{Name: "u", it: stubborn}
		c.Policies[0].Targets = append(c.Policies[0].Targets, &second)
		w.reload(c)
		w.wait(time.Second)

		w.fire("web", policy.Down)
		if n.left() != "a b c d" || len(stubborn.calls()) != 1 {
			t.Errorf("%s are left after %v was refused, and nobody was drained", n.left(), stubborn.calls())
		}
		// The next decision starts from there, and asks first.
		w.wait(time.Minute)
		h.called(t, "drain b", "drain d")
		h.done("b")
		h.done("d")
		w.wait(time.Second)
		if n.left() != "a c" {
			t.Errorf("%s are left once two were drained", n.left())
		}
	})
}

// TestARestartGoesOnDraining: the hook is called again, and nobody goes who
// was not drained.
func TestARestartGoesOnDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNamed(4)
		w, h := drainTwo(t, n, 10*time.Minute)
		w.restart()
		w.wait(time.Second)
		h.called(t, "drain b", "drain d")
		w.expect("being drained again", 4, policy.ReasonConverging)
		h.done("b")
		h.done("d")
		w.wait(time.Second)
		w.expect("drained", 2, policy.ReasonCoolingDown)
	})
}
