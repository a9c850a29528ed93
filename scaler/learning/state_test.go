package learning

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

var t0 = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

const interval = 15 * time.Second

// course is a policy that learns of cpu, with what it remembers and what was
// written of that.
type course struct {
	state   *State
	history policy.History
	written map[string][]byte
	err     error // of reading what was written
	rules   policy.Policy
	now     time.Time
	value   float64
	problem policy.Problem
	ready   int
	bound   bool
	past    Past
	ahead   []policy.Ahead
	// interval of the evaluations, and what was logged.
	interval time.Duration
	logged   bytes.Buffer
}

func newCourse() *course {
	c := &course{
		written: make(map[string][]byte), now: t0, ready: 8, value: 9, interval: interval,
		rules: policy.Policy{
			Name: "web", Min: 1, Max: 100, Mode: policy.ModeOn, Targets: []policy.Target{{Name: "t"}},
			Resources: []policy.Resource{{Name: "cpu", Reservation: policy.Reservation{Objective: policy.Objective{Goal: objective.Goal{Share: 0.99}}}}, {Name: "memory"}},
		},
	}
	c.restart()
	return c
}

func (c *course) Learnt(policyName, resource string) ([]byte, error) {
	if policyName != "web" {
		return nil, errors.New("another policy's")
	}
	return c.written[resource], c.err
}

// restart keeps what was written and what the history remembers.
func (c *course) restart() {
	c.state = New(Options{
		Policy: "web", Store: c, Now: func() time.Time { return c.now }, Logger: log.NewLogfmtLogger(&c.logged),
		Ahead: func(a policy.Ahead) { c.ahead = append(c.ahead, a) },
	})
}

// steps are evaluations a tick apart, each written as the engine does it.
func (c *course) steps(n int) (last []policy.Usage) {
	for range n {
		last = []policy.Usage{
			{Resource: "cpu", Value: c.value + math.Sin(c.now.Sub(t0).Seconds()/37), CapacityPerReplica: 2, Problem: c.problem},
			{Resource: "memory", Value: 1, CapacityPerReplica: 1},
		}
		c.state.Observe(context.Background(), Evaluation{
			Now: c.now, Rules: &c.rules, Interval: c.interval, Ready: c.ready, Bound: c.bound,
			Queries: []usage.Query{{Resource: "memory"}, {Resource: "cpu"}}, Past: c.past,
		}, last, &c.history)
		for _, e := range c.state.TakeDue(&c.history) {
			if e.State == nil {
				delete(c.written, e.Resource)
			} else {
				c.written[e.Resource] = e.State
			}
		}
		c.now = c.now.Add(max(c.interval, interval))
	}
	return last
}

func (c *course) observed(t *testing.T, when string, want int64) {
	t.Helper()
	if got := progressOf(c.state, "cpu").Observations; got != want {
		t.Errorf("%s: learnt from %d samples, want %d", when, got, want)
	}
}

// TestWhatIsWrittenAndRememberedIsAllThatWasLearnt whenever a restart comes.
func TestWhatIsWrittenAndRememberedIsAllThatWasLearnt(t *testing.T) {
	for _, n := range []int{1, unwritten - 1, unwritten, unwritten + 1, 3*unwritten + 7} {
		c := newCourse()
		c.steps(n)
		if got := len(c.history.Learning["cpu"]); got != n%unwritten {
			t.Errorf("after %d samples %d are remembered, want %d", n, got, n%unwritten)
		}
		if got := len(c.written["cpu"]) > 0; got != (n >= unwritten) {
			t.Errorf("after %d samples it is written: %t", n, got)
		}
		want := c.steps(1)
		c.restart()
		// The same evaluation again: what was seen is not learnt twice.
		c.now = c.now.Add(-interval)
		got := c.steps(1)
		c.observed(t, "after a restart", int64(n+1))
		if (got[0].Learnt == nil) != (want[0].Learnt == nil) || got[0].Learnt != nil && *got[0].Learnt != *want[0].Learnt {
			t.Errorf("after %d samples the learner says %+v, and %+v before the restart", n, got[0].Learnt, want[0].Learnt)
		}
		if got[1].Learnt != nil {
			t.Errorf("something is said of a resource without an objective: %+v", got[1].Learnt)
		}
	}
}

func TestWhatHasNoObjectiveIsForgotten(t *testing.T) {
	for name, end := range map[string]func(*course){
		"at once":                  func(*course) {},
		"while nobody was running": (*course).restart,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCourse()
			c.steps(unwritten + 5)
			c.rules.Resources = slices.Clone(c.rules.Resources)
			c.rules.Resources[0].Reservation = policy.Reservation{}
			end(c)
			c.steps(1)
			if len(c.written) > 0 || len(c.history.Learning) > 0 || len(c.state.Progress()) > 0 {
				t.Errorf("written %d, remembered %d, known %v", len(c.written["cpu"]), len(c.history.Learning), c.state.Progress())
			}
			c.rules.Resources[0].Reservation.Objective.Share = 0.9
			c.steps(1)
			c.observed(t, "with an objective again", 1)
		})
	}
}

// TestWhatIsToBeForgottenIsNotRead: not even before the store has heard of it.
func TestWhatIsToBeForgottenIsNotRead(t *testing.T) {
	c := newCourse()
	c.steps(unwritten)
	kept := slices.Clone(c.written["cpu"])
	of := c.rules.Resources
	c.rules.Resources = of[1:]
	c.state.Observe(t.Context(), Evaluation{Now: c.now, Rules: &c.rules, Interval: interval}, nil, &c.history)
	c.written["cpu"] = kept
	c.rules.Resources = of
	c.steps(1)
	c.observed(t, "at once with an objective again", 1)
}

func TestWhatCannotBeReadIsLearntAnew(t *testing.T) {
	c := newCourse()
	c.steps(unwritten + 3)
	c.err = errors.New("input/output error")
	c.restart()
	c.steps(1)
	c.observed(t, "with what the history remembers", 4)
	c.err, c.written["cpu"] = nil, []byte("not a state")
	c.restart()
	c.steps(1)
	c.observed(t, "with a state that is none", 5)
}

// TestShorterIntervalsLearnTheSame: samples are learnt from at most every 15 s, so
// that the past is not read again, nor what was written, where both intervals are
// shorter.
func TestShorterIntervalsLearnTheSame(t *testing.T) {
	c := newCourse()
	var asked []time.Time
	c.past = steady(t0.Add(-2*time.Hour), &asked)
	c.interval = 5 * time.Second
	c.steps(5)
	c.err = errors.New("nobody should look")
	for _, c.interval = range []time.Duration{10 * time.Second, interval, time.Second} {
		c.steps(5)
	}
	c.observed(t, "at several intervals", 2*60*4+20)
	if len(asked) != 1 || c.logged.Len() == 0 || strings.Contains(c.logged.String(), "learning anew") {
		t.Errorf("asked for the past of %v, and logged %s", asked, &c.logged)
	}
}

// TestAnotherIntervalSaysWhatIsLost, at once and after a restart.
func TestAnotherIntervalSaysWhatIsLost(t *testing.T) {
	for name, between := range map[string]func(*course){"at once": func(*course) {}, "after a restart": (*course).restart} {
		c := newCourse()
		c.steps(2 * unwritten)
		c.interval = time.Minute
		between(c)
		c.steps(1)
		c.observed(t, name, 1)
		const want = `level=warn msg="what was learnt is lost, learning anew" resource=cpu err="it was learnt from a sample every 15s, and the evaluation interval now gives one every 1m"`
		if got := c.logged.String(); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestWhatIsNotKnownTeachesNothing, nor does what another's doing made scarce.
func TestWhatIsNotKnownTeachesNothing(t *testing.T) {
	c := newCourse()
	c.steps(10)
	for _, p := range policy.Problems {
		c.problem = p
		c.steps(2)
		c.observed(t, string(p), 10)
	}
	c.problem = ""
	c.history.TakenAway = c.now
	c.value, c.ready = 20, 9 // more than nine can do
	c.steps(20)
	c.observed(t, "while replicas are missing that someone else took", 10)
	if c.history.TakenAway.IsZero() {
		t.Fatal("they are missing no more, while there are too few")
	}
	c.ready = 20
	c.steps(1)
	c.observed(t, "once there are enough", 11)
	if !c.history.TakenAway.IsZero() {
		t.Error("they are still missing, minutes later")
	}
}

// TestTooFewOnceItMayHaveMoreIsStillNotItsDoing until there are enough again.
func TestTooFewOnceItMayHaveMoreIsStillNotItsDoing(t *testing.T) {
	c := newCourse()
	c.bound, c.value = true, 18
	c.steps(1)
	c.bound = false
	c.steps(1)
	c.value = 4
	c.steps(1)
	c.value = 18
	c.steps(1)
	var got []bool
	for _, s := range c.history.Learning["cpu"] {
		got = append(got, s.Bound)
	}
	if want := []bool{true, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("bound is %v, want %v", got, want)
	}
}

func TestBound(t *testing.T) {
	two := []policy.TargetState{{Name: "t", Requested: 2}}
	for _, test := range []struct {
		name string
		edit func(*policy.Policy, *policy.Observation, *policy.Decision)
		want bool
	}{
		{"nothing", func(*policy.Policy, *policy.Observation, *policy.Decision) {}, false},
		{"its mode", func(p *policy.Policy, _ *policy.Observation, _ *policy.Decision) { p.Mode = policy.ModeOff }, true},
		{"a pause", func(_ *policy.Policy, o *policy.Observation, _ *policy.Decision) { o.Pause = &policy.Pause{Since: t0} }, true},
		{"a pause that is over", func(_ *policy.Policy, o *policy.Observation, _ *policy.Decision) { o.Pause = &policy.Pause{Until: t0} }, false},
		{"an alert", func(_ *policy.Policy, o *policy.Observation, _ *policy.Decision) { o.BlockUp = []string{"Deploying"} }, true},
		{"its maximum", func(p *policy.Policy, _ *policy.Observation, _ *policy.Decision) { p.Max = 2 }, true},
		{"a budget", func(_ *policy.Policy, _ *policy.Observation, d *policy.Decision) {
			d.Reason = policy.ReasonBudgetLimited
		}, true},
		{"a target that failed", func(_ *policy.Policy, _ *policy.Observation, d *policy.Decision) {
			d.Reason = policy.ReasonTargetBackoff
		}, true},
		{"its cooldown, which is its own", func(_ *policy.Policy, _ *policy.Observation, d *policy.Decision) { d.Reason = policy.ReasonCoolingDown }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := policy.Policy{Mode: policy.ModeOn, Min: 1, Max: 10, Targets: []policy.Target{{Name: "t"}}}
			o, d := policy.Observation{Targets: two}, policy.Decision{}
			test.edit(&p, &o, &d)
			if got := Bound(&p, &o, &d, t0); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
	if p := (policy.Policy{Mode: policy.ModeOn, Max: 10}); Bound(&p, &policy.Observation{}, nil, t0) {
		t.Error("bound before the first decision")
	}
}

// TestSlowest: what was measured counts, then what is configured.
func TestSlowest(t *testing.T) {
	p := policy.Policy{Targets: []policy.Target{{Name: "own", Provisioning: 20 * time.Second}, {Name: "burst", Provisioning: 90 * time.Second}}}
	h := policy.History{Targets: []policy.TargetMemory{{Name: "burst", Provisioning: 40 * time.Second}}}
	if got := slowest(&p, &h); got != 40*time.Second {
		t.Errorf("%s, want the 40s that were measured", got)
	}
	if got := slowest(&policy.Policy{Targets: []policy.Target{{Name: "t"}}}, &h); got != assumedProvisioning {
		t.Errorf("%s where nothing is known", got)
	}
}

// TestAStateOfAClockThatWasAhead is brought back, and said.
func TestAStateOfAClockThatWasAhead(t *testing.T) {
	c := newCourse()
	c.now = t0.Add(time.Hour)
	c.steps(unwritten)
	c.now = t0
	c.restart()
	c.steps(1)
	if len(c.ahead) != 1 || c.ahead[0].By < 50*time.Minute {
		t.Errorf("%v, want an hour", c.ahead)
	}
	if last := progressOf(c.state, "cpu").Last; last.After(t0) {
		t.Errorf("learnt last at %s", last)
	}
}

// TestAPastThatPanics is asked again later, and the panic is told.
func TestAPastThatPanics(t *testing.T) {
	c := newCourse()
	c.past = pastFunc(func(usage.Query, time.Time, time.Time) ([]objective.Sample, error) { panic("no page") })
	func() {
		defer func() {
			if p, ok := recover().(*recovery.Panic); !ok || p.Component != ComponentPast {
				t.Errorf("recovered %v", p)
			}
		}()
		c.steps(1)
	}()
	if p := c.state.resources["cpu"].past; p.tried != 1 || !p.next.Equal(c.now.Add(pastAgain)) {
		t.Errorf("%+v, want another try in five minutes", p)
	}
}

// progressOf is that of one resource; the zero progress where nothing was learnt
// of it.
func progressOf(s *State, resource string) Progress {
	for _, p := range s.Progress() {
		if p.Resource == resource {
			return p
		}
	}
	return Progress{}
}
