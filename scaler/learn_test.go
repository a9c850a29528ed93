package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/learning"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// demand is a Usage of one resource by the clock of the test.
type demand func(now time.Time) policy.Usage

func (d demand) Read(_ context.Context, now time.Time, qs []usage.Query) []policy.Usage {
	out := make([]policy.Usage, len(qs))
	for i := range qs {
		out[i] = d(now)
		out[i].Resource = qs[i].Resource
	}
	return out
}

func (demand) Loads(context.Context, time.Time, string, string) (map[string]float64, error) {
	return nil, errors.New("not asked for")
}

// remembered is a Usage that knows the past as well.
type remembered struct {
	demand
	// since when it does, and what is wrong with asking.
	since time.Time
	err   error
	// asked are the times that were asked for.
	asked []string
}

func (r *remembered) Past(_ context.Context, q usage.Query, from, to time.Time, step time.Duration) ([]objective.Sample, error) {
	r.asked = append(r.asked, fmt.Sprintf("%s from %s to %s every %s", q.Resource, from.Format("02T15:04"), to.Format("02T15:04"), step))
	if r.err != nil {
		return nil, r.err
	}
	var out []objective.Sample
	for at := from.Add(step); !at.After(to); at = at.Add(step) {
		if u := r.demand(at); u.Problem == "" && !at.Before(r.since) {
			out = append(out, objective.Sample{At: at, Usage: u.Value, Capacity: u.CapacityPerReplica})
		}
	}
	return out, nil
}

// swinging goes up and down between 3 and 9 replicas of 2, with bursts.
func swinging(now time.Time) policy.Usage {
	s := now.Sub(school0).Seconds()
	u := 12 + 5*math.Sin(s/900) + math.Sin(s/37)
	if int(s)%1260 < 60 {
		u += 4
	}
	return policy.Usage{Value: u, CapacityPerReplica: 2}
}

var school0 = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// school is an engine that learns, on a real ledger and a clock that the test
// moves. The alerts follow the recommendation, as the generated ones do.
type school struct {
	t        testing.TB
	dir      string
	interval string
	platform *scripted
	usage    Usage
	clock    *clock
	text     string
	mode     string
	most     int
	// forgets, where set, has the engine take the ledger for one that nobody
	// reads.
	forgets *forgetting

	reg    *prometheus.Registry
	ledger *ledger.Ledger
	book   *alerts.Book
	engine *Engine
	// decisions are all that were made, without IDs.
	decisions []string
}

func newSchool(t testing.TB, reservation string, u Usage) *school {
	t.Helper()
	s := &school{t: t, dir: t.TempDir(), interval: "15s", platform: newScripted(8), usage: u, clock: &clock{now: school0}, text: reservation, mode: "on", most: 100}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *school) config() *config.Config {
	s.t.Helper()
	text := fmt.Sprintf(`
global: { evaluation_interval: %s, fleet_guard: 1 }
prometheus: { url: http://localhost:9090 }
policies: [ { name: web, mode: %s, min: 1, max: %d, resources: [ { name: cpu, reservation: %s } ], targets: [ { name: t, scripted: {} } ] } ]`, s.interval, s.mode, s.most, s.text)
	c, err := config.Load("test.yml", []byte(text), target.NewRegistry(func() target.Config { return &scriptedConfig{Name: "web", it: s.platform} }))
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *school) start() {
	s.t.Helper()
	var err error
	if s.ledger, err = ledger.Open(ledger.Options{Path: s.dir, Now: s.clock.Now}); err != nil {
		s.t.Fatal(err)
	}
	if s.book, err = alerts.New(alerts.Options{Store: s.ledger, TTL: -1, Now: s.clock.Now}); err != nil {
		s.t.Fatal(err)
	}
	s.reg = prometheus.NewRegistry()
	var kept Ledger = s.ledger
	if s.forgets != nil {
		s.forgets.Ledger, kept = s.ledger, s.forgets
	}
	s.engine, err = New(Options{
		Alerts: s.book, Ledger: kept, Registerer: s.reg, Now: s.clock.Now,
		NewUsage: func(*config.Config) (Usage, error) { return s.usage, nil },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.reload(s.text)
}

func (s *school) reload(reservation string) {
	s.t.Helper()
	s.text = reservation
	c := s.config()
	change, err := s.engine.Prepare(s.t.Context(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	s.book.SetRules(AlertRules(c))
	change.Apply()
}

func (s *school) stop() {
	s.t.Helper()
	if err := s.engine.Stop(context.Background()); err != nil {
		s.t.Error(err)
	}
	if err := s.ledger.Close(); err != nil {
		s.t.Error(err)
	}
}

func (s *school) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// crash goes on with the file as it is, as if the server had died now. Only
// what was enqueued a moment ago has reached it.
func (s *school) crash() {
	s.t.Helper()
	s.flush()
	b, err := os.ReadFile(filepath.Join(s.dir, "ledger.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.stop()
	s.dir = s.t.TempDir()
	if err := os.WriteFile(filepath.Join(s.dir, "ledger.db"), b, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.start()
}

// flush waits until what was enqueued is written.
func (s *school) flush() {
	s.t.Helper()
	if err := s.ledger.Commit(ledger.Record{Histories: map[string]policy.History{"flush": {}}}); err != nil {
		s.t.Fatal(err)
	}
}

// steps evaluates n times, an interval apart.
func (s *school) steps(n int) {
	s.t.Helper()
	interval, err := time.ParseDuration(s.interval)
	if err != nil {
		s.t.Fatal(err)
	}
	for range n {
		s.engine.Step(s.t.Context())
		d := s.last()
		c := *d
		c.ID = ""
		b, err := json.Marshal(c)
		if err != nil {
			s.t.Fatal(err)
		}
		s.decisions = append(s.decisions, string(b))
		if r := d.Recommendation; r != nil {
			s.alert(policy.Up, *r > d.Desired)
			s.alert(policy.Down, *r < d.Desired)
		}
		s.clock.add(interval)
	}
}

func (s *school) alert(d policy.Direction, fires bool) {
	s.t.Helper()
	counts := s.book.Counts("web")
	if (d == policy.Up && counts.Up > 0 || d == policy.Down && counts.Down > 0) == fires {
		return
	}
	a := alerts.Alert{Fingerprint: string(d), Status: alerts.Firing, StartsAt: s.clock.Now(), Labels: map[string]string{"scale": string(d), "scale_target": "web"}}
	if !fires {
		a.Status, a.EndsAt = alerts.Resolved, s.clock.Now()
	}
	if _, err := s.book.Apply(s.t.Context(), alerts.Notification{GroupKey: "g", Alerts: []alerts.Alert{a}}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *school) last() *policy.Decision {
	s.t.Helper()
	st, _ := s.engine.Status("web")
	if st.Last == nil {
		s.t.Fatal("no decision")
	}
	return st.Last
}

// reading is what the learner says in the last decision.
func (s *school) reading() *objective.Reading {
	s.t.Helper()
	for _, q := range s.last().Requirements {
		for _, e := range q.Reservations {
			if e.Kind == policy.EntryObjective && e.Learnt != nil {
				return e.Learnt
			}
		}
	}
	s.t.Fatalf("nothing was learnt: %s", s.last().Explain())
	return nil
}

func (s *school) observed(when string, want int64) {
	s.t.Helper()
	if got := progressOf(s.engine.units["web"].learning, "cpu").Observations; got != want {
		s.t.Errorf("%s: learnt from %d samples, want %d", when, got, want)
	}
}

const learns = "{ objective: 0.99 }"

const (
	// writtenEvery is how many samples are learnt from before that is written.
	writtenEvery = 20
	// pastTries is how often a past that cannot be read is asked for.
	pastTries = 12
)

// TestWhatIsLearntSurvivesARestart: every decision is the same with restarts and
// without, whether the server was stopped or died between two writes of what
// it has learnt.
func TestWhatIsLearntSurvivesARestart(t *testing.T) {
	run := func(t *testing.T, every int, end func(*school)) *school {
		s := newSchool(t, learns, demand(swinging))
		for i := range 420 {
			if every > 0 && i%every == every-1 {
				end(s)
			}
			s.steps(1)
		}
		return s
	}
	want := run(t, 0, nil)
	if r := want.reading(); r.Cold || r.Observations < 400 {
		t.Fatalf("it has not learnt: %+v", r)
	}
	moved := 0
	for _, d := range want.decisions {
		if strings.Contains(d, `"act":true`) {
			moved++
		}
	}
	if moved < 20 {
		t.Fatalf("it moved %d times only", moved)
	}
	for _, tc := range []struct {
		name  string
		every int
		end   func(*school)
	}{
		{"a restart now and then", 37, (*school).restart},
		{"a restart just after what was learnt is written", writtenEvery, (*school).restart},
		{"a crash now and then", 53, (*school).crash},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := run(t, tc.every, tc.end)
			for i := range want.decisions {
				if want.decisions[i] != got.decisions[i] {
					t.Fatalf("evaluation %d (-without +with):\n%s", i, cmp.Diff(want.decisions[i], got.decisions[i]))
				}
			}
		})
	}
}

// TestTooLittleThatIsNotItsDoing: while somebody or something keeps the policy
// from having more, too little is counted, and does not make it more careful.
func TestTooLittleThatIsNotItsDoing(t *testing.T) {
	short := func(now time.Time) policy.Usage {
		u := swinging(now)
		if now.Sub(school0) >= 75*time.Minute {
			u.Value *= 3
		}
		return u
	}
	for name, hold := range map[string]func(*school, bool){
		"a pause": func(s *school, on bool) {
			if on {
				if _, err := s.engine.Pause("web", policy.Pause{By: "ops", Comment: "looking", Until: s.clock.Now().Add(24 * time.Hour)}); err != nil {
					s.t.Fatal(err)
				}
			} else if _, _, err := s.engine.Resume("web"); err != nil {
				s.t.Fatal(err)
			}
		},
		"its maximum": func(s *school, on bool) {
			s.most = 100
			if on {
				s.most = s.last().Current
			}
			s.reload(s.text)
		},
		"its mode": func(s *school, on bool) {
			s.mode = "on"
			if on {
				s.mode = "off"
			}
			s.reload(s.text)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, learns, demand(short))
			s.steps(300) // 75 minutes
			before := s.reading()
			hold(s, true)
			s.steps(60)
			held := s.reading()
			hold(s, false)
			s.steps(1)
			after := s.reading()
			if held.Realised < before.Realised+0.1 {
				t.Errorf("realised %g, then %g: an hour's quarter of too little is not counted", before.Realised, held.Realised)
			}
			if held.Aimed != before.Aimed || after.Aimed != before.Aimed {
				t.Errorf("aims at %g, while it was held at %g, afterwards at %g: want it unmoved", before.Aimed, held.Aimed, after.Aimed)
			}
			// What is the policy's own doing counts again.
			s.steps(200)
			if r := s.reading(); r.Aimed == before.Aimed {
				t.Errorf("still aims at %g after fifty minutes", r.Aimed)
			}
		})
	}
}

func TestWithoutAnObjectiveWhatWasLearntIsForgotten(t *testing.T) {
	wantNothing := func(s *school, when string) {
		s.t.Helper()
		s.flush()
		if state, err := s.ledger.Learnt("web", "cpu"); err != nil || state != nil {
			s.t.Errorf("%s the ledger has %d bytes, %v", when, len(state), err)
		}
		if u := s.engine.units["web"]; len(u.learning.Progress()) > 0 || len(u.history.Learning) > 0 {
			s.t.Errorf("%s the engine has %v and %v", when, u.learning.Progress(), u.history.Learning)
		}
	}
	for name, take := range map[string]func(*school, string){
		"by a reload": (*school).reload,
		"while the server is down": func(s *school, text string) {
			s.text = text
			s.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t, learns, demand(swinging))
			s.steps(2*writtenEvery + 5)
			s.observed("in the end", 2*writtenEvery+5)
			s.flush()
			if state, err := s.ledger.Learnt("web", "cpu"); err != nil || len(state) == 0 {
				t.Fatalf("nothing is written: %v", err)
			}
			take(s, "{ ratio: 0.2 }")
			s.steps(3)
			wantNothing(s, "without an objective")
			take(s, learns)
			s.steps(1)
			s.observed("with an objective again", 1)
			take(s, "{ ratio: 0.2 }")
			s.steps(1)
			wantNothing(s, "without one again")
		})
	}
}

func TestAnotherObjectiveKeepsWhatWasLearnt(t *testing.T) {
	s := newSchool(t, learns, demand(swinging))
	s.steps(200)
	strict := s.reading()
	s.reload("{ objective: 0.6 }")
	s.steps(1)
	loose := s.reading()
	if loose.Observations != strict.Observations+1 {
		t.Errorf("%d observations after %d", loose.Observations, strict.Observations)
	}
	if math.Abs(loose.Aimed-0.4) > 0.04 || !(loose.Free < strict.Free) {
		t.Errorf("aims at %g and keeps %g free, after %g and %g", loose.Aimed, loose.Free, strict.Aimed, strict.Free)
	}
}

// TestAnotherIntervalLearnsAnew: what was learnt counts in ticks.
func TestAnotherIntervalLearnsAnew(t *testing.T) {
	s := newSchool(t, learns, demand(swinging))
	s.steps(50)
	s.interval = "1m"
	s.reload(learns)
	s.steps(30)
	// Two of the samples that stood in the history are a minute apart.
	s.observed("at another interval", 32)
	s.restart()
	s.steps(1)
	s.observed("after a restart", 33)
}

func TestThePastIsReadAtTheStart(t *testing.T) {
	past := &remembered{demand: swinging}
	s := newSchool(t, learns, past)
	s.interval = "1m"
	s.reload(learns)
	s.steps(1)
	// The newest minute of the past is not over, and the present comes on top.
	s.observed("at first", 48*60)
	if r := s.reading(); r.Cold {
		t.Errorf("the first day is wasted: %+v", r)
	}
	s.steps(10)
	s.observed("later", 48*60+10)
	s.restart()
	s.steps(5)
	s.observed("after a restart", 48*60+15)
	// Half an hour without a server.
	s.clock.add(30 * time.Minute)
	s.restart()
	s.steps(5)
	s.observed("after some time", 48*60+15+30+5)
	// A week without one: the last two days are enough.
	s.clock.add(7 * 24 * time.Hour)
	s.restart()
	s.steps(1)
	s.observed("after a week", 2*48*60+15+30+5)
	want := []string{
		"cpu from 03T00:00 to 04T23:59 every 1m0s",
		"cpu from 05T00:15 to 05T00:45 every 1m0s",
		"cpu from 10T00:51 to 12T00:50 every 1m0s",
	}
	if diff := cmp.Diff(want, past.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestAPastThatCannotBeReadIsAskedForAgain(t *testing.T) {
	past := &remembered{demand: swinging, err: errors.New("no answer within 10s")}
	s := newSchool(t, learns, past)
	s.steps(1)
	s.observed("without an answer", 1)
	s.steps(20) // five minutes
	if len(past.asked) != 2 {
		t.Errorf("asked %d times within five minutes: %v", len(past.asked), past.asked)
	}
	s.observed("without an answer", 21)
	past.err = nil
	past.since = school0.Add(-time.Hour) // and it knows little
	s.steps(20)
	// An hour, what was seen so far but the newest, and it goes on.
	s.observed("with an answer", 4*60+21+20)
	if len(past.asked) != 3 {
		t.Errorf("asked %d times in the end", len(past.asked))
	}

	// It may never answer.
	past = &remembered{demand: swinging, err: errors.New("no answer within 10s")}
	s = newSchool(t, learns, past)
	s.interval = "5m"
	s.reload(learns)
	s.steps(2 * pastTries)
	s.observed("without an answer ever", 2*pastTries)
	if len(past.asked) != pastTries {
		t.Errorf("asked %d times", len(past.asked))
	}
}

// TestARestartBeforeThePastWasReadAsksForAllOfIt: that something was learnt
// meanwhile is no reason to do without the days before.
func TestARestartBeforeThePastWasReadAsksForAllOfIt(t *testing.T) {
	past := &remembered{demand: swinging, err: errors.New("no answer within 10s")}
	s := newSchool(t, learns, past)
	s.interval = "1m"
	s.reload(learns)
	s.steps(4)
	past.err = nil
	s.restart()
	s.steps(1)
	s.observed("after a restart", 48*60)
}

// TestAPastThatKnowsLessIsNotTaken: Prometheus is younger than what was learnt.
func TestAPastThatKnowsLessIsNotTaken(t *testing.T) {
	past := &remembered{demand: swinging, err: errors.New("no answer within 10s")}
	s := newSchool(t, learns, past)
	s.steps(19)
	past.err, past.since = nil, s.clock.Now().Add(-time.Minute)
	s.steps(6)
	s.observed("of its own", 25)
}

func TestWhatIsNotFullyKnownTeachesNothing(t *testing.T) {
	for _, problem := range policy.Problems {
		t.Run(string(problem), func(t *testing.T) {
			var wrong policy.Problem
			s := newSchool(t, learns, demand(func(now time.Time) policy.Usage {
				u := swinging(now)
				u.Problem = wrong
				return u
			}))
			s.steps(60)
			s.observed("at first", 60)
			before := s.reading()
			wrong = problem
			s.steps(40)
			s.observed("while it lasts", 60)
			if at := progressOf(s.engine.units["web"].learning, "cpu").Last; !at.Equal(school0.Add(59 * 15 * time.Second)) {
				t.Errorf("learnt last at %s", at)
			}
			wrong = ""
			s.steps(1)
			s.observed("after it", 61)
			if after := s.reading(); after.Aimed > before.Aimed*1.01 || after.Realised > before.Realised {
				t.Errorf("%+v has become %+v", before, after)
			}
		})
	}
}

// TestReplicasTakenAwayTeachNothing: that there were too few was someone else's
// doing, so nothing is aimed higher because of it.
func TestReplicasTakenAwayTeachNothing(t *testing.T) {
	short := false
	steady := func(now time.Time) policy.Usage {
		u := policy.Usage{Value: 12 + math.Sin(now.Sub(school0).Seconds()/37), CapacityPerReplica: 2}
		if short {
			u.Value = 6 // all that three replicas can
		}
		return u
	}
	s := newSchool(t, learns, demand(steady))
	s.steps(100)
	before := s.reading()
	// Nobody follows the alerts for a while.
	s.platform.onScale = func(context.Context, *scripted, int) error {
		return target.Errorf(target.KindUnauthorized, "scale", "not now")
	}
	s.platform.take(3)
	short = true
	s.steps(20)
	s.observed("while there are too few", 100)
	s.restart()
	s.steps(1)
	s.observed("after a restart", 100)
	s.platform.onScale = nil
	s.platform.take(9)
	short = false
	s.steps(1)
	if after := s.reading(); after.Realised > before.Realised || after.Aimed < before.Aimed {
		t.Errorf("%+v has become %+v", before, after)
	}
	s.steps(19)
	s.observed("once there are enough", 120)
	// More of them, or fewer that are enough, are no reason to stop learning.
	s.platform.take(30)
	s.steps(10)
	s.platform.take(12)
	s.steps(10)
	s.observed("while there is plenty", 140)
	if h := s.engine.units["web"].history; !h.TakenAway.IsZero() {
		t.Errorf("replicas are still missing since %s", h.TakenAway)
	}
}

func TestMetricsOfAnObjective(t *testing.T) {
	s := newSchool(t, learns, demand(swinging))
	expect := func(when, realised, observations string) {
		t.Helper()
		want := `# HELP alertscaler_policy_objective_observations_total Samples that what a resource's objective keeps free was learnt from, those of earlier runs and of the past in Prometheus included.
# TYPE alertscaler_policy_objective_observations_total counter
alertscaler_policy_objective_observations_total{policy="web",resource="cpu"} ` + observations + `
# HELP alertscaler_policy_objective_ratio Share of the time that capacity of the resource must suffice, as configured.
# TYPE alertscaler_policy_objective_ratio gauge
alertscaler_policy_objective_ratio{policy="web",resource="cpu"} 0.99
# HELP alertscaler_policy_objective_under_capacity_ratio Share of the time that there was too little of the resource, of the last day above all. NaN while unknown.
# TYPE alertscaler_policy_objective_under_capacity_ratio gauge
alertscaler_policy_objective_under_capacity_ratio{policy="web",resource="cpu"} ` + realised + "\n"
		err := testutil.GatherAndCompare(s.reg, strings.NewReader(want), "alertscaler_policy_objective_observations_total",
			"alertscaler_policy_objective_ratio", "alertscaler_policy_objective_under_capacity_ratio")
		if err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	expect("before anything was decided", "NaN", "0")
	if problems, err := testutil.GatherAndLint(s.reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	s.steps(50)
	expect("later", fmt.Sprint(s.reading().Realised), "50")
	if got := metricValue(t, s.reg, "alertscaler_policy_reserved", "entry", "objective"); got != s.reading().Free {
		t.Errorf("reserved is %g, want %g", got, s.reading().Free)
	}
	s.restart()
	s.steps(1)
	expect("after a restart", fmt.Sprint(s.reading().Realised), "51")
	s.reload("{ ratio: 0.2 }")
	s.steps(1)
	if n, err := testutil.GatherAndCount(s.reg, "alertscaler_policy_objective_ratio"); err != nil || n > 0 {
		t.Errorf("%d objectives are left, %v", n, err)
	}
}

// progressOf is that of one resource; the zero progress where nothing was learnt
// of it.
func progressOf(s *learning.State, resource string) learning.Progress {
	for _, p := range s.Progress() {
		if p.Resource == resource {
			return p
		}
	}
	return learning.Progress{}
}
