package scaler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	stepped "github.com/alertscaler/alertscaler/scaler/clock"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
	"github.com/alertscaler/alertscaler/scaler/victims"
)

// world is an engine with a real book and a real ledger on a virtual clock.
type world struct {
	t        *testing.T
	dir      string
	platform map[string]*scripted
	config   *config.Config
	usage    Usage
	newDrain func(drain.Config) (victims.Drainer, error)
	// clock and logger of the engine; nil: the test's own time, and none.
	clock  *stepped.Clock
	logger log.Logger
	// repair has a damaged ledger repaired at a start.
	repair bool

	reg    *prometheus.Registry
	ledger *ledger.Ledger
	book   *alerts.Book
	engine *Engine
	// broken makes the ledger refuse.
	broken atomic.Pointer[error]
}

// unreliable is the real ledger until it is told to refuse.
type unreliable struct {
	*ledger.Ledger
	w *world
}

func (u unreliable) Commit(r ledger.Record) error {
	if err := u.w.broken.Load(); err != nil {
		return *err
	}
	return u.Ledger.Commit(r)
}

func (u unreliable) SavePause(name string, p policy.Pause) error {
	if err := u.w.broken.Load(); err != nil {
		return *err
	}
	return u.Ledger.SavePause(name, p)
}

func (u unreliable) DeletePause(name string) error {
	if err := u.w.broken.Load(); err != nil {
		return *err
	}
	return u.Ledger.DeletePause(name)
}

// newWorld has one policy "web" on one scripted target that starts with n
// replicas; it acts on alerts alone unless edit says otherwise.
func newWorld(t *testing.T, n int, edit func(*config.Policy)) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), platform: map[string]*scripted{"web": newScripted(n)}}
	w.config = w.configFor("web", edit)
	w.start()
	t.Cleanup(func() { w.stop() })
	return w
}

// configFor loads a policy as a user would write it, and puts the scripted
// platform in.
func (w *world) configFor(name string, edit func(*config.Policy)) *config.Config {
	w.t.Helper()
	text := fmt.Sprintf("policies: [ { name: %s, min: 1, max: 10, targets: [ { name: t, scripted: {} } ] } ]", name)
	reg := target.NewRegistry(func() target.Config { return &scriptedConfig{Name: name, it: w.platform[name]} })
	c, err := config.Load("test.yml", []byte(text), reg)
	if err != nil {
		w.t.Fatal(err)
	}
	if edit != nil {
		edit(c.Policies[0])
	}
	return c
}

func (w *world) start() {
	w.t.Helper()
	w.reg = prometheus.NewRegistry()
	var err error
	if w.ledger, err = ledger.Open(ledger.Options{Path: w.dir, Repair: w.repair}); err != nil {
		w.t.Fatal(err)
	}
	w.book, err = alerts.New(alerts.Options{Store: w.ledger, OnChange: func(p []string) { w.engine.Wake(p) }})
	if err != nil {
		w.t.Fatal(err)
	}
	o := Options{
		Alerts: w.book, Ledger: unreliable{w.ledger, w}, Registerer: w.reg,
		NewUsage: func(*config.Config) (Usage, error) { return w.usage, nil },
		NewDrain: w.newDrain, Logger: w.logger, Distrust: w.ledger.Cautious(),
	}
	if w.clock != nil {
		o.Now, o.Corrected = w.clock.Now, w.clock.Corrected
	}
	w.engine, err = New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.reload(w.config)
	w.engine.Start()
	synctest.Wait()
}

func (w *world) reload(c *config.Config) {
	w.t.Helper()
	change, err := w.engine.Prepare(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.config = c
	w.book.SetRules(AlertRules(c))
	change.Apply()
}

func (w *world) stop() {
	w.t.Helper()
	if err := w.engine.Stop(context.Background()); err != nil {
		w.t.Error(err)
	}
	if err := w.ledger.Close(); err != nil {
		w.t.Error(err)
	}
}

// restart ends the engine and starts another on the same ledger.
func (w *world) restart() {
	w.stop()
	w.start()
}

func (w *world) fire(name string, d policy.Direction) { w.alert(name, d, alerts.Firing) }

func (w *world) resolve(name string, d policy.Direction) { w.alert(name, d, alerts.Resolved) }

func (w *world) alert(name string, d policy.Direction, s alerts.Status) {
	w.t.Helper()
	a := alerts.Alert{
		Fingerprint: name + string(d), Status: s, StartsAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Labels: map[string]string{"scale": string(d), "scale_target": name},
	}
	if s == alerts.Resolved {
		a.EndsAt = time.Now()
	}
	if _, err := w.book.Apply(w.t.Context(), alerts.Notification{GroupKey: "g", Alerts: []alerts.Alert{a}}); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) last(name string) policy.Decision {
	w.t.Helper()
	s, ok := w.engine.Status(name)
	if !ok || s.Last == nil {
		w.t.Fatalf("no decision of %s", name)
	}
	return *s.Last
}

// expect checks the count and the reason of the last decision.
func (w *world) expect(when string, replicas int, reason policy.Reason) {
	w.t.Helper()
	s, _ := w.platform["web"].Current(w.t.Context())
	if d := w.last("web"); s.Requested != replicas || d.Reason != reason {
		w.t.Errorf("%s: %d replicas because of %s, want %d because of %s\n%s", when, s.Requested, d.Reason, replicas, reason, d.Explain())
	}
}

func (w *world) actions() []ledger.ActionState {
	w.t.Helper()
	w.wait(2 * time.Second) // what was enqueued is written by then
	as, err := w.ledger.Actions(ledger.Query{})
	if err != nil {
		w.t.Fatal(err)
	}
	states := make([]ledger.ActionState, len(as))
	for i := range as {
		states[len(as)-1-i] = as[i].State
	}
	return states
}

func TestAlertAloneStepsOncePerCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["web"].boot = 20 * time.Second
		w.expect("nothing fires", 2, policy.ReasonNoAlert)
		w.fire("web", policy.Up)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{3}) {
			t.Fatalf("the alert is acted upon at once: asked for %v", got)
		}
		w.fire("web", policy.Up)
		w.wait(10 * time.Second)
		w.expect("while the replica boots", 3, policy.ReasonConverging)
		w.wait(45 * time.Second)
		w.expect("after convergence", 3, policy.ReasonCoolingDown)
		w.wait(40 * time.Second)
		w.expect("a minute after convergence", 4, policy.ReasonConverging)
		w.resolve("web", policy.Up)
		w.wait(10 * time.Minute)
		w.expect("nothing fires any more", 4, policy.ReasonNoAlert)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{3, 4}) {
			t.Errorf("asked for %v", got)
		}
		if diff := cmp.Diff([]ledger.ActionState{ledger.Converged, ledger.Converged}, w.actions()); diff != "" {
			t.Errorf("actions (-want +got):\n%s", diff)
		}
	})
}

func TestBoundsAreCorrectedWithoutAnAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 0, nil)
		w.wait(time.Second)
		w.expect("below min", 1, policy.ReasonNoAlert)
		w.platform["web"].take(15)
		w.wait(15 * time.Second)
		w.wait(time.Second)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{1, 10}) {
			t.Errorf("asked for %v", got)
		}
	})
}

func TestShadowNeverCallsAPlatform(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 20, func(p *config.Policy) { p.Mode = policy.ModeOff })
		w.fire("web", policy.Up)
		w.wait(time.Hour)
		if got := w.platform["web"].calls(); len(got) > 0 {
			t.Errorf("asked for %v", got)
		}
		w.platform["web"].take(3)
		w.wait(time.Minute)
		w.expect("in shadow", 3, policy.ReasonShadow)
		if d := w.last("web"); d.Desired != 4 || d.Act {
			t.Errorf("desired %d, act %t", d.Desired, d.Act)
		}
	})
}

// A platform that accepts and whose answer is lost has the number; asking for
// one more on top would be a delta.
func TestLostAnswerIsNotRepeatedAsADelta(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		p.onScale = func(ctx context.Context, s *scripted, desired int) error {
			s.take(desired)
			<-ctx.Done()
			return fmt.Errorf("read the answer: %w", ctx.Err())
		}
		w.fire("web", policy.Up)
		w.wait(11 * time.Second)
		p.set(func(s *scripted) { s.onScale = nil })
		w.wait(30 * time.Second)
		w.expect("the answer was lost, the number was not", 3, policy.ReasonCoolingDown)
		if got := p.calls(); !slices.Equal(got, []int{3}) {
			t.Errorf("asked for %v", got)
		}
		if got := w.actions(); !slices.Equal(got, []ledger.ActionState{ledger.Converged}) {
			t.Errorf("actions %v", got)
		}
	})
}

// The same, where the platform takes the number only after its caller gave up:
// the target shows the old number at first.
func TestLostAnswerThatIsAppliedLateIsNotRepeatedAsADelta(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		p.set(func(s *scripted) {
			s.onScale = func(ctx context.Context, s *scripted, desired int) error {
				time.AfterFunc(13*time.Second, func() { s.take(desired) })
				<-ctx.Done()
				return fmt.Errorf("read the answer: %w", ctx.Err())
			}
		})
		w.fire("web", policy.Up)
		w.wait(11 * time.Second)
		w.expect("the answer is lost and the number not there yet", 2, policy.ReasonTargetBackoff)
		p.set(func(s *scripted) { s.onScale = nil })
		w.wait(30 * time.Second)
		w.expect("the number came late", 3, policy.ReasonCoolingDown)
		if got := p.calls(); !slices.Equal(got, []int{3}) {
			t.Errorf("asked for %v", got)
		}
	})
}

func TestRefusalBacksOffAndSpendsNoCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		p.onScale = func(context.Context, *scripted, int) error {
			return target.Errorf(target.KindQuota, "scale web", "limit reached")
		}
		w.fire("web", policy.Up)
		w.wait(2 * time.Minute)
		w.expect("refused", 2, policy.ReasonTargetBackoff)
		if got := p.calls(); !slices.Equal(got, []int{3}) {
			t.Errorf("asked for %v during the backoff", got)
		}
		p.set(func(s *scripted) { s.onScale = nil })
		w.wait(4 * time.Minute)
		w.expect("after five minutes", 3, policy.ReasonCoolingDown)
		if got := p.calls(); !slices.Equal(got, []int{3, 3}) {
			t.Errorf("asked for %v", got)
		}
		want := 1.0
		got := counter(t, w.reg, "alertscaler_action_failures_total", "reason", "quota")
		if got != want {
			t.Errorf("failures %g, want %g", got, want)
		}
	})
}

func TestConflictIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		conflicts := 0
		p.onScale = func(_ context.Context, s *scripted, desired int) error {
			if conflicts++; conflicts <= 3 {
				return target.Errorf(target.KindConflict, "scale web", "out of sequence")
			}
			s.take(desired)
			return nil
		}
		w.fire("web", policy.Up)
		if got := p.calls(); !slices.Equal(got, []int{3, 3, 3, 3}) {
			t.Errorf("asked for %v", got)
		}
		w.wait(5 * time.Second)
		w.expect("after the conflicts", 3, policy.ReasonCoolingDown)
	})
}

func TestConflictWithAForeignChangeIsDecidedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		p.onScale = func(_ context.Context, s *scripted, _ int) error {
			s.take(7)
			s.set(func(s *scripted) { s.onScale = nil })
			return target.Errorf(target.KindConflict, "scale web", "out of sequence")
		}
		w.fire("web", policy.Up)
		w.wait(time.Second)
		if got := p.calls(); !slices.Equal(got, []int{3}) {
			t.Errorf("asked for %v; the count has just changed", got)
		}
		w.wait(time.Minute)
		if got := p.calls(); !slices.Equal(got, []int{3, 8}) {
			t.Errorf("asked for %v; the step must start from what the other set", got)
		}
	})
}

func TestNothingIsCalledThatIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		full := errors.New("no space left on device")
		w.broken.Store(&full)
		w.fire("web", policy.Up)
		w.wait(time.Minute)
		if got := w.platform["web"].calls(); len(got) > 0 {
			t.Fatalf("asked for %v without a record", got)
		}
		w.broken.Store(nil)
		w.wait(16 * time.Second)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{3}) {
			t.Errorf("asked for %v once the ledger works", got)
		}
	})
}

func TestSlowPlatformDelaysNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["fast"] = newScripted(2)
		c := w.config
		c.Policies = append(c.Policies, w.configFor("fast", nil).Policies...)
		w.reload(c)
		w.wait(time.Second)
		w.platform["web"].onScale = func(ctx context.Context, _ *scripted, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w.fire("web", policy.Up)
		before := time.Now()
		w.fire("fast", policy.Up)
		if got := w.platform["fast"].calls(); !slices.Equal(got, []int{3}) || time.Since(before) > 0 {
			t.Errorf("the other policy asked for %v after %s", got, time.Since(before))
		}
	})
}

func TestUnreadableTargetIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["web"].set(func(s *scripted) { s.readErr = errors.New("connection refused") })
		w.fire("web", policy.Up)
		w.wait(time.Minute)
		if got := w.platform["web"].calls(); len(got) > 0 {
			t.Errorf("asked for %v without knowing the count", got)
		}
		if d := w.last("web"); d.Reason != policy.ReasonTargetFailed {
			t.Errorf("reason %s", d.Reason)
		}
		if got := gauge(t, w.reg, "alertscaler_safe_to_autoscale"); got != 0 {
			t.Errorf("safe_to_autoscale %g", got)
		}
	})
}

func TestLateReplicasFailTheAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["web"].boot = time.Hour
		w.fire("web", policy.Up)
		w.resolve("web", policy.Up)
		w.wait(17 * time.Minute)
		if got := w.actions(); !slices.Equal(got, []ledger.ActionState{ledger.Failed}) {
			t.Errorf("actions %v", got)
		}
		if got := counter(t, w.reg, "alertscaler_action_failures_total", "reason", "not_converged"); got != 1 {
			t.Errorf("failures %g", got)
		}
	})
}

// A platform that answers before it is done may find out later that it cannot
// do it. That is a failure of the action, and nobody else's change.
func TestRequestThatThePlatformGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		p := w.platform["web"]
		p.boot = time.Hour
		var asked target.Request
		p.onScale = func(ctx context.Context, s *scripted, desired int) error {
			asked, _ = target.RequestOf(ctx)
			s.take(desired)
			s.set(func(s *scripted) { s.failed = nil })
			return nil
		}
		w.fire("web", policy.Up)
		if want := (target.Request{Policy: "web", Reason: string(policy.ReasonScaledUp), From: 2}); asked != want {
			t.Errorf("the platform was told %+v, want %+v", asked, want)
		}
		w.wait(20 * time.Second)
		p.take(2)
		p.set(func(s *scripted) { s.failed = target.Errorf(target.KindPermanent, "scale web to 3", "the run failed") })
		w.wait(20 * time.Second)
		w.expect("given up", 2, policy.ReasonTargetBackoff)
		if got := w.actions(); !slices.Equal(got, []ledger.ActionState{ledger.Failed}) {
			t.Errorf("actions %v", got)
		}
		if got := counter(t, w.reg, "alertscaler_action_failures_total", "reason", "permanent"); got != 1 {
			t.Errorf("failures %g, want 1", got)
		}
		if got := counter(t, w.reg, "alertscaler_foreign_changes_total", "policy", "web"); got != 0 {
			t.Errorf("%g changes by someone else", got)
		}
		w.wait(5 * time.Minute)
		w.expect("after five minutes", 3, policy.ReasonConverging)
		if got := p.calls(); !slices.Equal(got, []int{3, 3}) {
			t.Errorf("asked for %v", got)
		}
	})
}

func TestForeignChangeEndsTheAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["web"].boot = time.Minute
		w.fire("web", policy.Up)
		w.wait(5 * time.Second)
		w.platform["web"].take(6)
		w.resolve("web", policy.Up)
		w.wait(5 * time.Second)
		if got := w.actions(); !slices.Equal(got, []ledger.ActionState{ledger.Superseded}) {
			t.Errorf("actions %v", got)
		}
		w.expect("someone else's number stays", 6, policy.ReasonNoAlert)
	})
}

// A cooldown that runs at a restart goes on with what was left of it.
func TestCooldownSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 5, nil)
		w.fire("web", policy.Down)
		w.wait(2 * time.Minute)
		w.expect("two minutes into the cooldown", 4, policy.ReasonCoolingDown)
		until := w.last("web").Steps[len(w.last("web").Steps)-1].Until
		w.restart()
		w.expect("after the restart", 4, policy.ReasonCoolingDown)
		if got := w.last("web").Steps[len(w.last("web").Steps)-1].Until; !got.Equal(until) {
			t.Errorf("the cooldown ends at %s, before the restart at %s", got, until)
		}
		w.wait(2*time.Minute + 50*time.Second)
		w.expect("just before its end", 4, policy.ReasonCoolingDown)
		w.wait(15 * time.Second)
		w.expect("after its end", 3, policy.ReasonCoolingDown)
	})
}

// What a crash leaves open is settled by looking at the target.
func TestCrashBeforeAndAfterTheCall(t *testing.T) {
	for _, tc := range []struct {
		name  string
		found int
		calls []int
		state ledger.ActionState
	}{
		{"before the call", 2, []int{3}, ledger.NotApplied},
		{"after the call", 3, nil, ledger.Converged},
		{"someone else's number", 6, nil, ledger.NotApplied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 2, nil)
				w.stop()
				l, err := ledger.Open(ledger.Options{Path: w.dir})
				if err != nil {
					t.Fatal(err)
				}
				now := time.Now()
				id := l.NewID(now)
				err = l.Commit(ledger.Record{
					Decision: &policy.Decision{ID: id, Policy: "web", Time: now, Current: 2, Desired: 3, Reason: policy.ReasonScaledUp},
					Actions: []ledger.Action{{
						ID: l.NewID(now), Decision: id, Policy: "web", Target: "t", Direction: policy.Up,
						From: 2, To: 3, State: ledger.Intended, Created: now,
					}},
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := l.SaveAlerts(context.Background(), []alerts.Alert{{
					Fingerprint: "webup", Status: alerts.Firing, StartsAt: now, ReceivedAt: now, LastSeen: now,
					Labels: map[string]string{"scale": "up", "scale_target": "web"},
				}}, nil); err != nil {
					t.Fatal(err)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				w.platform["web"].take(tc.found)
				w.start()
				w.wait(10 * time.Second)
				if got := w.platform["web"].calls(); !slices.Equal(got, tc.calls) {
					t.Errorf("asked for %v, want %v", got, tc.calls)
				}
				if got := w.actions(); got[0] != tc.state {
					t.Errorf("the action was settled as %s, want %s", got[0], tc.state)
				}
			})
		})
	}
}

func TestReloadKeepsWhatIsUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		same := *w.config.Policies[0]
		same.Max = 20
		next := *w.config
		next.Policies = []*config.Policy{&same}
		w.reload(&next)
		w.wait(time.Second)
		if w.platform["web"].closed {
			t.Error("an unchanged target was closed")
		}
		if s, _ := w.engine.Status("web"); s.Max != 20 {
			t.Errorf("max %d", s.Max)
		}
		old := w.platform["web"]
		w.platform["web"] = newScripted(2)
		w.reload(w.configFor("web", nil))
		w.wait(time.Second)
		if !old.closed {
			t.Error("a replaced target was not closed")
		}
		w.platform["other"] = newScripted(2)
		w.reload(w.configFor("other", nil))
		w.wait(time.Second)
		if !w.platform["web"].closed {
			t.Error("the target of a policy that is gone was not closed")
		}
		if _, ok := w.engine.Status("web"); ok {
			t.Error("a policy that is gone is still there")
		}
	})
}

// A target that could not be read and is gone from the configuration no longer
// speaks against scaling the others.
func TestTargetsThatAreGoneAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		w.platform["web"].set(func(s *scripted) { s.readErr = errors.New("connection refused") })
		w.wait(16 * time.Second)
		w.platform["web"] = newScripted(2)
		next := w.configFor("web", nil)
		next.Policies[0].Targets[0].Name = "u"
		w.reload(next)
		w.wait(time.Second)
		if got := gauge(t, w.reg, "alertscaler_safe_to_autoscale"); got != 1 {
			t.Errorf("safe_to_autoscale %g", got)
		}
	})
}

// What was open when a policy left is settled when it comes back, and what was
// settled meanwhile stays settled.
func TestPolicyThatComesBackGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		with := w.config
		w.platform["web"].set(func(s *scripted) { s.boot = time.Minute })
		w.fire("web", policy.Up)
		w.resolve("web", policy.Up)
		w.platform["other"] = newScripted(2)
		w.reload(w.configFor("other", nil))
		w.wait(30 * time.Second)
		w.reload(with)
		w.wait(time.Minute)
		if got := w.actions(); !slices.Equal(got, []ledger.ActionState{ledger.Converged}) {
			t.Errorf("actions %v", got)
		}
		// Now it is settled; another absence must not open it again.
		w.reload(w.configFor("other", nil))
		w.wait(time.Second)
		w.platform["web"].take(2)
		w.reload(with)
		w.wait(time.Second)
		if got := w.actions(); !slices.Equal(got, []ledger.ActionState{ledger.Converged}) {
			t.Errorf("actions after another absence %v", got)
		}
	})
}

// fixedUsage answers every query alike, as a Prometheus in that state would.
type fixedUsage struct{ reading policy.Usage }

func (f *fixedUsage) Read(_ context.Context, _ time.Time, qs []usage.Query) []policy.Usage {
	out := make([]policy.Usage, len(qs))
	for i := range qs {
		out[i] = f.reading
		out[i].Resource = qs[i].Resource
	}
	return out
}

func (f *fixedUsage) Loads(context.Context, time.Time, string, string) (map[string]float64, error) {
	return nil, errors.New("not asked for")
}

// whoHeard keeps since when the usage was to be read, last.
type whoHeard struct {
	fixedUsage
	mu    sync.Mutex
	since time.Time
}

func (h *whoHeard) Read(ctx context.Context, now time.Time, qs []usage.Query) []policy.Usage {
	h.mu.Lock()
	h.since = qs[0].Since
	h.mu.Unlock()
	return h.fixedUsage.Read(ctx, now, qs)
}

func withCPU(p *config.Policy) {
	p.Resources = []*config.Resource{{Name: "cpu", Reservation: config.Reservation{Ratio: 0.3}}}
}

func TestUsageDecidesHowMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &fixedUsage{policy.Usage{Value: 4.2, CapacityPerReplica: 1}}
		w := newWorld(t, 3, nil)
		w.usage = u
		c := w.configFor("web", withCPU)
		c.Prometheus = &config.Prometheus{}
		w.reload(c)
		w.wait(time.Second)
		w.fire("web", policy.Up)
		w.wait(time.Second)
		if got := w.platform["web"].calls(); !slices.Equal(got, []int{6}) {
			t.Errorf("asked for %v; 4.2 used and 30%% free of 1 each are 6", got)
		}
		u.reading = policy.Usage{Problem: policy.ProblemStale, Detail: "older than 2m"}
		w.resolve("web", policy.Up)
		w.fire("web", policy.Down)
		w.wait(time.Hour)
		w.expect("usage is unknown", 6, policy.ReasonMissingData)
	})
}

// TestUsageIsReadAfterTheAlert: what was read for another policy just before the
// alert is not what the alert is about.
func TestUsageIsReadAfterTheAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &whoHeard{fixedUsage: fixedUsage{policy.Usage{Value: 1, CapacityPerReplica: 1}}}
		w := newWorld(t, 3, nil)
		w.usage = h
		c := w.configFor("web", withCPU)
		c.Prometheus = &config.Prometheus{}
		w.reload(c)
		w.wait(time.Minute)
		fired := time.Now()
		w.fire("web", policy.Up)
		w.wait(time.Second)
		h.mu.Lock()
		defer h.mu.Unlock()
		if !h.since.Equal(fired) {
			t.Errorf("the alert fired at %s, and usage may be of %s", fired, h.since)
		}
	})
}

func TestMetricsArePresentFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, nil)
		problems, err := testutil.GatherAndLint(w.reg)
		if err != nil || len(problems) > 0 {
			t.Errorf("lint: %v, %v", problems, err)
		}
		if got, want := testutil.CollectAndCount(w.engine.collector(), "alertscaler_decisions_total"), 3*len(policy.Reasons); got != want {
			t.Errorf("decisions_total has %d series, want %d", got, want)
		}
		for _, name := range []string{
			"alertscaler_policy_replicas", "alertscaler_target_replicas", "alertscaler_actions_total",
			"alertscaler_action_failures_total", "alertscaler_cooldown_until_timestamp_seconds",
			"alertscaler_target_backoff_until_timestamp_seconds", "alertscaler_safe_to_autoscale",
			"alertscaler_action_duration_seconds", "alertscaler_provisioning_duration_seconds",
			"alertscaler_alert_to_action_seconds", "alertscaler_evaluation_duration_seconds",
		} {
			if n, err := testutil.GatherAndCount(w.reg, name); err != nil || n == 0 {
				t.Errorf("%s: %d series, %v", name, n, err)
			}
		}
	})
}
