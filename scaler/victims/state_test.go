package victims

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/action"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// platform is one whose replicas can be told apart.
type platform struct {
	target.Target

	mu    sync.Mutex // guards what follows
	names []string
	err   error
}

func (p *platform) Replicas(context.Context) (target.Replicas, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := target.Replicas{Label: "pod"}
	for _, n := range p.names {
		r.List = append(r.List, target.Replica{ID: "id-" + n, Name: n, Ready: true})
	}
	return r, p.err
}

func (p *platform) ScaleDown(context.Context, int, []string) error { return nil }

// hook is one whose replicas are done when the test says so.
type hook struct {
	timeout time.Duration

	mu   sync.Mutex // guards what follows
	done map[string]chan struct{}
	said []string
}

func (h *hook) Timeout() time.Duration { return h.timeout }

func (h *hook) of(name string) chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done == nil {
		h.done = make(map[string]chan struct{})
	}
	if h.done[name] == nil {
		h.done[name] = make(chan struct{})
	}
	return h.done[name]
}

func (h *hook) Wait(ctx context.Context, r drain.Request, _ func(error)) error {
	select {
	case <-h.of(r.Replica.Name):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hook) Tell(_ context.Context, r drain.Request) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, string(r.Action)+" "+r.Replica.Name)
	return nil
}

func (h *hook) told() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.said, ", ")
}

// loads is the load of each replica.
type loads map[string]float64

func (l loads) Loads(_ context.Context, _ time.Time, _, label string) (map[string]float64, error) {
	if label != "pod" {
		return nil, errors.New("no series has the label " + label)
	}
	return l, nil
}

// house is a state with one target "a" of four replicas, the first the busiest.
type house struct {
	t *testing.T
	*State
	platform *platform
	hook     *hook
	stop     context.CancelFunc

	mu      sync.Mutex // guards what follows
	counted []string
	woken   int
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, platform: &platform{names: []string{"1", "2", "3", "4"}}, hook: &hook{timeout: time.Minute}}
	stopping, stop := context.WithCancel(t.Context())
	h.stop = stop
	var running sync.WaitGroup
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	h.State = New(Options{
		Policy: "web", Logger: log.NewNopLogger(), Guard: recovery.New(prometheus.NewRegistry(), Component), Now: time.Now,
		PlatformTimeout: time.Second, Stopping: stopping, Go: running.Go,
		Wake: func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.woken++
		},
		Count: func(target, result string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.counted = append(h.counted, target+" "+result)
		},
	}, "shop", []Target{h.target(h.hook)})
	return h
}

func (h *house) target(hook Drainer) Target {
	return Target{Name: "a", Platform: "scripted", Target: h.platform, Rule: &config.Victims{Query: "load"}, Hook: hook}
}

// observe reads which may go, as an evaluation does where fewer are asked for.
func (h *house) observe(down int) policy.TargetState {
	h.t.Helper()
	o := policy.Observation{Down: down, Targets: []policy.TargetState{{Name: "a", Requested: 4, Ready: 4}}}
	h.Choose(h.t.Context(), time.Now(), &policy.Policy{Max: 10}, loads{"1": 9, "2": 3, "3": 2, "4": 1}, &o)
	return o.Targets[0]
}

// decide has the state drain for a decision from four replicas to so many, and
// returns it.
func (h *house) decide(to int) policy.Decision {
	h.t.Helper()
	d := policy.Decision{Policy: "web", Time: time.Now(), Mode: policy.ModeOn, Direction: policy.Down, Act: to != 4, Current: 4, Desired: to, Reason: policy.ReasonScaledDown, Placements: []policy.Placement{{Target: "a", From: 4, To: to}}}
	h.Drain(&d)
	return d
}

func (h *house) want(when, told string, leaving int, counted ...string) {
	h.t.Helper()
	synctest.Wait()
	if got := h.hook.told(); got != told {
		h.t.Errorf("%s: the hook was told %q, want %q", when, got, told)
	}
	if got := h.Leaving("a"); got != leaving || h.Draining()["a"].Ready != leaving || len(h.Draining()["a"].Names) != leaving {
		h.t.Errorf("%s: %d take no work, want %d; draining %v", when, got, leaving, h.Draining())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Equal(h.counted, counted) {
		h.t.Errorf("%s: counted %v, want %v", when, h.counted, counted)
	}
}

func TestWhoIsProtected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		if s := h.observe(0); s.Protected != 4 || s.ProtectedBy != "nobody has asked which may go" || len(h.Names("a", 2)) > 0 {
			t.Errorf("while nothing can go: %+v, first %v", s, h.Names("a", 2))
		}
		if _, chosen := h.IDs("a", 2); chosen {
			t.Error("nobody was asked, and it is chosen")
		}
		if s := h.observe(1); s.Protected != 0 || !slices.Equal(h.Names("a", 2), []string{"4", "3"}) {
			t.Errorf("%+v, first %v", s, h.Names("a", 2))
		}
		if ids, chosen := h.IDs("a", 1); !chosen || !slices.Equal(ids, []string{"id-4"}) {
			t.Errorf("%v, chosen %t", ids, chosen)
		}
		if got := h.Names("a", -1); len(got) > 0 {
			t.Errorf("of more replicas %v go", got)
		}
		h.platform.err = errors.New("no answer")
		if s := h.observe(1); s.Protected != 4 || !strings.Contains(s.ProtectedBy, "no answer") {
			t.Errorf("of a platform that does not say which there are: %+v", s)
		}
		states := []policy.TargetState{{Requested: 4}}
		if h.Spare(states); states[0].Protected != 4 {
			t.Errorf("nobody was told to finish, and %d are protected", states[0].Protected)
		}
	})
}

func TestADecisionWaitsForItsDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.observe(1)
		if d := h.decide(2); d.Act || d.Reason != policy.ReasonConverging {
			t.Errorf("%s", d.Explain())
		}
		h.want("at work", "", 2)
		close(h.hook.of("4"))
		h.want("one is done", "", 2, "a drained")
		h.observe(1)
		if d := h.decide(2); d.Act {
			t.Errorf("one is still at work: %s", d.Explain())
		}
		time.Sleep(2 * time.Minute)
		h.want("the other had its time", "", 2, "a drained", "a timed_out")
		h.observe(1)
		if d := h.decide(2); !d.Act || d.Desired != 2 {
			t.Errorf("all are done: %s", d.Explain())
		}
		if h.woken < 2 {
			t.Errorf("woken %d times", h.woken)
		}
	})
}

// TestWhoStaysIsTold once, unless the platform was asked to take it.
func TestWhoStaysIsTold(t *testing.T) {
	for _, test := range []struct {
		name  string
		state action.State
		told  string
	}{
		{"nobody was asked", "", "cancel 4"},
		{"it may go any moment", action.Accepted, ""},
		{"no answer", action.Intended, ""},
		{"refused", action.Failed, "cancel 4"},
		{"never asked", action.NotApplied, "cancel 4"},
		{"overtaken", action.Superseded, "cancel 4"},
		{"gone", action.Converged, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.observe(1)
				h.decide(3)
				synctest.Wait()
				close(h.hook.of("4"))
				synctest.Wait()
				if test.state != "" {
					a := action.Action{ID: "2", Target: "a", Direction: policy.Down, From: 4, To: 3}
					h.HandOver(&a)
					a.State = test.state
					h.TakeOver(&a, time.Now())
				}
				h.decide(4)
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if got := h.hook.told(); got != test.told {
					t.Errorf("told %q, want %q", got, test.told)
				}
				for _, told := range h.BeingTold() {
					<-told // nobody waits for ever
				}
			})
		})
	}
}

func TestWhatEndsADrain(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(h *house)
		told string
	}{
		{"a decision for more", func(h *house) { h.decide(5) }, "cancel 4"},
		{"a configuration that is the same", func(h *house) { h.Reconfigure("shop", []Target{h.target(h.hook)}, nil) }, ""},
		{"a configuration without a hook", func(h *house) { h.Reconfigure("shop", []Target{h.target(nil)}, nil) }, "cancel 4"},
		{"the target is another one", func(h *house) { h.Reconfigure("shop", []Target{h.target(h.hook)}, map[string]bool{"a": true}) }, "cancel 4"},
		{"the target is gone", func(h *house) { h.Reconfigure("shop", nil, nil) }, "cancel 4"},
		{"the policy is gone", func(h *house) { h.Leave() }, "cancel 4"},
		{"the server stops", func(h *house) { h.stop(); h.Leave() }, ""},
		{"the replica is gone", func(h *house) {
			h.platform.names = []string{"1", "2", "3"}
			h.observe(1)
			h.decide(4)
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.observe(1)
				h.decide(3)
				h.want("at work", "", 1)
				test.do(h)
				synctest.Wait()
				if got := h.hook.told(); got != test.told {
					t.Errorf("told %q, want %q", got, test.told)
				}
			})
		})
	}
}

// TestADrainOutlivesWhatMayPass: a decision that is held for a moment gives
// nobody back, and one that is held for long does.
func TestADrainOutlivesWhatMayPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.hook.timeout = time.Hour
		h.observe(1)
		h.decide(3)
		held := func() {
			d := policy.Decision{Time: time.Now(), Mode: policy.ModeOn, Direction: policy.Down, Current: 4, Desired: 4, Reason: policy.ReasonTargetFailed}
			h.Drain(&d)
		}
		held()
		time.Sleep(59 * time.Second)
		held()
		h.want("within a minute", "", 1)
		time.Sleep(time.Second)
		held()
		h.want("after a minute", "cancel 4", 0, "a cancelled")
	})
}
