package alerts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

var t0 = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// clock is a clock that the test turns.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// memStore is a Store in memory that counts its writes and can be broken.
type memStore struct {
	mu     sync.Mutex
	alerts map[string]Alert
	writes int
	err    error
	// enter is called in SaveAlerts, before it does anything.
	enter func()
}

func (s *memStore) SaveAlerts(_ context.Context, put []Alert, remove []string) error {
	if s.enter != nil {
		s.enter()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.alerts == nil {
		s.alerts = make(map[string]Alert)
	}
	s.writes++
	for _, a := range put {
		s.alerts[a.Fingerprint] = a
	}
	for _, fp := range remove {
		delete(s.alerts, fp)
	}
	return nil
}

func (s *memStore) LoadAlerts() ([]Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Alert
	for _, a := range s.alerts {
		all = append(all, a)
	}
	return all, s.err
}

// fixture is a book with the policies web and api, and what hangs on it.
type fixture struct {
	*Book
	t       testing.TB
	clock   *clock
	store   *memStore
	reg     *prometheus.Registry
	changed [][]string
}

func matchers(t testing.TB, s ...string) labels.Matchers {
	t.Helper()
	var ms labels.Matchers
	for _, x := range s {
		m, err := labels.ParseMatcher(x)
		if err != nil {
			t.Fatal(err)
		}
		ms = append(ms, m)
	}
	return ms
}

func rules(t testing.TB, names ...string) []Rule {
	var rs []Rule
	for _, n := range names {
		rs = append(rs,
			Rule{n, policy.Up, matchers(t, `scale="up"`, `scale_target="`+n+`"`)},
			Rule{n, policy.Down, matchers(t, `scale="down"`, `scale_target="`+n+`"`)})
	}
	return rs
}

func newFixture(t testing.TB, o Options) *fixture {
	t.Helper()
	return newFixtureAt(t, t0, o)
}

// newFixtureAt starts at a time of its own. The senders' clocks may be ahead
// of it by as much as a test likes.
func newFixtureAt(t testing.TB, at time.Time, o Options) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: &clock{now: at}, store: &memStore{}, reg: prometheus.NewPedanticRegistry()}
	if s, ok := o.Store.(*memStore); ok {
		f.store = s
	}
	o.Store, o.Now, o.Registerer = f.store, f.clock.Now, f.reg
	o.OnChange = func(ps []string) { f.changed = append(f.changed, ps) }
	if o.Rules == nil {
		o.Rules = rules(t, "web", "api")
	}
	var err error
	if f.Book, err = New(o); err != nil {
		t.Fatal(err)
	}
	f.maxAhead = 24 * time.Hour
	return f
}

// apply takes in one notification and fails the test on an error.
func (f *fixture) apply(as ...Alert) Change {
	f.t.Helper()
	c, err := f.Apply(context.Background(), Notification{Receiver: "scaler", GroupKey: "{}:{}", Alerts: as})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func (f *fixture) wantCounts(name string, up, down int) {
	f.t.Helper()
	if got := f.Counts(name); got.Up != up || got.Down != down {
		f.t.Errorf("Counts(%s) = %+v; want %d up, %d down", name, got, up, down)
	}
	for dir, want := range map[policy.Direction]int{policy.Up: up, policy.Down: down} {
		if got := f.active(name, dir); got != float64(want) {
			f.t.Errorf("alertscaler_alerts_active{%s,%s} = %v, want %d", name, dir, got, want)
		}
	}
}

// active is the gauge as it is scraped; -1 where there is none.
func (f *fixture) active(name string, dir policy.Direction) float64 {
	f.t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(collector{f.Book})
	families, err := reg.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["policy"] == name && labels["direction"] == string(dir) {
				return m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func alertOf(fp, scale, target string) Alert {
	return Alert{
		Fingerprint: fp,
		Labels:      map[string]string{"alertname": "Scale", "scale": scale, "scale_target": target},
	}
}

// firing and resolved are word of alert fp that began the given time after t0.
func firing(a Alert, start time.Duration) Alert {
	a.Status, a.StartsAt = Firing, t0.Add(start)
	return a
}

func resolved(a Alert, start, end time.Duration) Alert {
	a.Status, a.StartsAt, a.EndsAt = Resolved, t0.Add(start), t0.Add(end)
	return a
}

func TestBookKeepsWhatFires(t *testing.T) {
	f := newFixture(t, Options{})
	web, webDown, other := alertOf("a1", "up", "web"), alertOf("a2", "down", "web"), alertOf("a3", "up", "nobody")

	c := f.apply(firing(web, 0), firing(webDown, 0), firing(other, 0))
	if diff := cmp.Diff(Change{Added: 3, Unmatched: 1, Policies: []string{"web"}}, c); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	f.wantCounts("web", 1, 1)
	f.wantCounts("api", 0, 0)
	if got := f.store.writes; got != 1 {
		t.Errorf("%d writes for one notification, want 1", got)
	}

	got := f.AlertsFor("web")
	if len(got) != 2 || got[0].Fingerprint != "a1" || got[0].GroupKey != "{}:{}" || !slices.Equal(got[0].Policies, []string{"web"}) {
		t.Errorf("AlertsFor(web) = %+v", got)
	}
	if got := f.Alerts(); len(got) != 3 {
		t.Errorf("Alerts() = %+v, want 3", got)
	}

	f.apply(resolved(web, 0, time.Minute))
	f.wantCounts("web", 0, 1)
	if diff := cmp.Diff([][]string{{"web"}, {"web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}
}

func TestBookRepeatCostsNothing(t *testing.T) {
	f := newFixture(t, Options{})
	a := firing(alertOf("a1", "up", "web"), 0)
	f.apply(a)
	f.clock.add(time.Minute)
	a.Annotations = map[string]string{"description": "93 % used"}
	c := f.apply(a, a)

	if diff := cmp.Diff(Change{Refreshed: 2}, c); diff != "" {
		t.Errorf("change (-want +got):\n%s", diff)
	}
	if f.store.writes != 1 || len(f.changed) != 1 {
		t.Errorf("%d writes and %d wake-ups, want 1 and 1", f.store.writes, len(f.changed))
	}
	got := f.Alerts()[0]
	if !got.LastSeen.Equal(t0.Add(time.Minute)) || !got.ReceivedAt.Equal(t0) || got.Annotations["description"] != "93 % used" {
		t.Errorf("alert after its repeat = %+v", got)
	}
	// The broken store does not matter where nothing is to be stored.
	f.store.err = errors.New("disk full")
	f.apply(a)
}

func TestBookStoreFails(t *testing.T) {
	f := newFixture(t, Options{})
	web := alertOf("a1", "up", "web")
	f.apply(firing(web, 0))
	before := f.Alerts()
	broken := errors.New("disk full")
	f.store.err = broken

	for name, n := range map[string][]Alert{
		"firing":   {firing(web, 0), firing(alertOf("a2", "up", "web"), 0)},
		"resolved": {resolved(web, 0, time.Minute)},
	} {
		if _, err := f.Apply(context.Background(), Notification{Alerts: n}); !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want %v", name, err, broken)
		}
	}
	if _, err := f.Expire(context.Background(), t0.Add(48*time.Hour)); !errors.Is(err, broken) {
		t.Errorf("expire: error %v, want %v", err, broken)
	}
	if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: t0.Add(time.Hour), Settled: true}); !errors.Is(err, broken) {
		t.Errorf("reconcile: error %v, want %v", err, broken)
	}
	if diff := cmp.Diff(before, f.Alerts()); diff != "" {
		t.Errorf("the book changed (-before +after):\n%s", diff)
	}
	f.wantCounts("web", 1, 0)

	// Alertmanager sends it again, and then it counts.
	f.store.err = nil
	f.apply(firing(web, 0), firing(alertOf("a2", "up", "web"), 0))
	f.wantCounts("web", 2, 0)
}

func TestBookRestores(t *testing.T) {
	f := newFixture(t, Options{})
	f.apply(firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "later"), 0))
	before := f.Alerts()

	g := newFixture(t, Options{Store: f.store})
	if diff := cmp.Diff(before, g.Alerts()); diff != "" {
		t.Errorf("restored book (-before +after):\n%s", diff)
	}
	g.wantCounts("web", 1, 0)

	f.store.err = errors.New("no such file")
	if _, err := New(Options{Store: f.store}); !errors.Is(err, f.store.err) {
		t.Errorf("New with a broken store: error %v", err)
	}
}

func TestBookSetRules(t *testing.T) {
	f := newFixture(t, Options{})
	f.apply(firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "api"), 0), firing(alertOf("a3", "up", "later"), 0))
	f.changed = nil

	f.SetRules(append(rules(t, "api", "later"), Rule{Policy: "quiet"}))
	if diff := cmp.Diff([][]string{{"later", "web"}}, f.changed); diff != "" {
		t.Errorf("OnChange (-want +got):\n%s", diff)
	}
	f.wantCounts("later", 1, 0)
	f.wantCounts("api", 1, 0)
	if f.Counts("web") != (Counts{}) {
		t.Error("a policy that is gone still has alerts")
	}
	const want = `
# HELP alertscaler_alerts_active Alerts that fire for the policy and are neither silenced nor inhibited nor unconfirmed.
# TYPE alertscaler_alerts_active gauge
alertscaler_alerts_active{direction="block_down",policy="api"} 0
alertscaler_alerts_active{direction="block_up",policy="api"} 0
alertscaler_alerts_active{direction="down",policy="api"} 0
alertscaler_alerts_active{direction="up",policy="api"} 1
alertscaler_alerts_active{direction="block_down",policy="later"} 0
alertscaler_alerts_active{direction="block_up",policy="later"} 0
alertscaler_alerts_active{direction="down",policy="later"} 0
alertscaler_alerts_active{direction="up",policy="later"} 1
alertscaler_alerts_active{direction="block_down",policy="quiet"} 0
alertscaler_alerts_active{direction="block_up",policy="quiet"} 0
alertscaler_alerts_active{direction="down",policy="quiet"} 0
alertscaler_alerts_active{direction="up",policy="quiet"} 0
`
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), "alertscaler_alerts_active"); err != nil {
		t.Error(err)
	}
}

func TestBookBoundsUnmatched(t *testing.T) {
	f := newFixture(t, Options{MaxUnmatched: 2})
	var as []Alert
	for _, fp := range []string{"a1", "a2", "a3"} {
		as = append(as, firing(alertOf(fp, "up", "nobody"), 0))
	}
	f.apply(as...)
	f.apply(as...)
	if got := len(f.Alerts()); got != 2 {
		t.Errorf("%d unmatched alerts kept, want 2", got)
	}
	if got := testutil.ToFloat64(f.metrics.unmatched); got != 6 {
		t.Errorf("unmatched_total = %v, want 6", got)
	}
	f.apply(resolved(as[0], 0, time.Second))
	f.apply(as[2])
	if got := len(f.Alerts()); got != 2 {
		t.Errorf("%d unmatched alerts kept after one resolved, want 2", got)
	}
	f.SetRules(rules(t, "web"))
	f.apply(resolved(as[1], 0, time.Second))
	f.apply(firing(alertOf("a4", "up", "nobody"), 0), firing(alertOf("a5", "up", "nobody"), 0))
	if got := len(f.Alerts()); got != 2 {
		t.Errorf("%d unmatched alerts kept after a reload, want 2", got)
	}
	f.apply(firing(alertOf("b1", "up", "web"), 0)) // no bound on what matches
	f.wantCounts("web", 1, 0)
}

func TestMetricsLint(t *testing.T) {
	f := newFixture(t, Options{})
	problems, err := testutil.GatherAndLint(f.reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for name, want := range map[string]int{
		"alertscaler_alerts_active":                                 8,
		"alertscaler_webhook_alerts_unmatched_total":                1,
		"alertscaler_alerts_late_total":                             2,
		"alertscaler_alerts_expired_total":                          1,
		"alertscaler_reconciliations_total":                         1,
		"alertscaler_reconciliation_failures_total":                 1,
		"alertscaler_reconciliation_duration_seconds":               1,
		"alertscaler_reconciliation_last_success_timestamp_seconds": 1,
		"alertscaler_reconciled_alerts_total":                       3,
	} {
		if got, err := testutil.GatherAndCount(f.reg, name); err != nil || got != want {
			t.Errorf("%s: %d series before the first event, want %d (%v)", name, got, want, err)
		}
	}
}
