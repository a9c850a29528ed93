package ledger

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

func start() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

// open opens a ledger in dir that is closed with the test.
func open(t testing.TB, dir string) *Ledger {
	t.Helper()
	return openWith(t, Options{Path: dir})
}

func openWith(t testing.TB, o Options) *Ledger {
	t.Helper()
	if o.Now == nil {
		o.Now = start
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func decision(l *Ledger, name string, at time.Time) *policy.Decision {
	n := 9
	return &policy.Decision{
		ID: l.NewID(at), Policy: name, Time: at, Mode: policy.ModeOn, Direction: policy.Up,
		Current: 6, Ready: 5, Recommendation: &n, Desired: 9, Reason: policy.ReasonScaledUp, Act: true,
		Requirements: []policy.Requirement{{Resource: "cpu", Usage: 8.4, Reserved: 3.6, CapacityPerReplica: 2, Replicas: 6}},
		Placements:   []policy.Placement{{Target: "swarm", From: 6, To: 9}},
		Steps: []policy.Step{
			{Name: policy.StepRequirement, Replicas: 9, Subject: "cpu", Value: 8.4, Limit: 2},
			{Name: policy.StepStepLimit, Replicas: 9, Until: at.Add(time.Minute)},
		},
	}
}

func newAction(l *Ledger, name, target string, to int, state ActionState, at time.Time) Action {
	return Action{
		ID: l.NewID(at), Decision: l.NewID(at), Policy: name, Target: target, Direction: policy.Up,
		Reason: policy.ReasonScaledUp, From: 1, To: to, State: state, Created: at,
	}
}

func mustCommit(t testing.TB, l *Ledger, r Record) {
	t.Helper()
	if err := l.Commit(r); err != nil {
		t.Fatal(err)
	}
}

func ids(ds []policy.Decision) []string {
	var s []string
	for _, d := range ds {
		s = append(s, d.ID)
	}
	return s
}

func TestRecordsComeBackAfterReopen(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	d := decision(l, "web", start())
	a := newAction(l, "web", "swarm", 9, Accepted, start())
	a.Accepted = start().Add(time.Second)
	h := policy.History{
		Since: start(), LastSeen: start().Add(time.Minute),
		Samples: []policy.Sample{{First: start(), Last: start().Add(time.Minute), Replicas: 9}},
		Moves:   []policy.Move{{ID: d.ID, At: start(), From: 6, To: 9}},
	}
	mustCommit(t, l, Record{Decision: d, Actions: []Action{a}, Histories: map[string]policy.History{"web": h}})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = open(t, dir)
	ds, err := l.Decisions(Query{Policy: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]policy.Decision{*d}, ds); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
	as, err := l.OpenActions()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Action{a}, as); diff != "" {
		t.Errorf("open actions (-want +got):\n%s", diff)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]policy.History{"web": h}, hs); diff != "" {
		t.Errorf("histories (-want +got):\n%s", diff)
	}
}

func TestQueriesSelectNewestFirst(t *testing.T) {
	l := open(t, t.TempDir())
	// Names of which one is a prefix of another must not mix.
	policies := []string{"web", "web2", "we", "web"}
	made := map[string][]string{}
	for i := range 120 {
		name := policies[i%len(policies)]
		d := decision(l, name, start().Add(time.Duration(i)*time.Second))
		l.Enqueue(Record{Decision: d})
		made[name] = append([]string{d.ID}, made[name]...)
		made[""] = append([]string{d.ID}, made[""]...)
	}
	at := func(i int) time.Time { return start().Add(time.Duration(i) * time.Second) }

	tests := []struct {
		name  string
		query Query
		want  []string
	}{
		{"all, at most 100 by default", Query{}, made[""][:100]},
		{"all of them", Query{Limit: 500}, made[""]},
		{"one policy", Query{Policy: "web"}, made["web"]},
		{"the policy whose name sorts last", Query{Policy: "web2"}, made["web2"]},
		{"the policy whose name sorts first", Query{Policy: "we"}, made["we"]},
		{"a limit", Query{Policy: "web", Limit: 3}, made["web"][:3]},
		{"since, its own instant included", Query{Since: at(110)}, made[""][:10]},
		{"since, between two", Query{Since: at(110).Add(time.Nanosecond)}, made[""][:9]},
		{"since, of one policy", Query{Policy: "we", Since: at(110)}, made["we"][:3]},
		{"since the future", Query{Since: at(1000)}, nil},
		{"an unknown policy", Query{Policy: "nobody"}, nil},
		{"an unknown policy after all", Query{Policy: "zzz"}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ds, err := l.Decisions(tc.query)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, ids(ds)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestActionsAreReplacedAndLeaveTheOpenOnes(t *testing.T) {
	l := open(t, t.TempDir())
	var open []Action
	for i := range 3 {
		open = append(open, newAction(l, "web", "swarm", i, Intended, start()))
	}
	mustCommit(t, l, Record{Actions: open})
	open[1].State, open[1].Accepted = Accepted, start()
	mustCommit(t, l, Record{Actions: open[1:2]})
	ended := open[0]
	ended.State, ended.Ended = Converged, start()
	l.Enqueue(Record{Actions: []Action{ended}})

	got, err := l.OpenActions()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(open[1:], got); diff != "" {
		t.Errorf("open actions, oldest first (-want +got):\n%s", diff)
	}
	got, err = l.Actions(Query{Policy: "web"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Action{open[2], open[1], ended}, got); diff != "" {
		t.Errorf("actions, newest first (-want +got):\n%s", diff)
	}
}

func TestAlertsAreStoredByFingerprint(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	alert := func(fp, severity string) alerts.Alert {
		return alerts.Alert{
			Fingerprint: fp, Status: alerts.Firing, Labels: map[string]string{"severity": severity},
			StartsAt: start(), ReceivedAt: start(), LastSeen: start(),
		}
	}
	save := func(put []alerts.Alert, remove ...string) {
		t.Helper()
		if err := l.SaveAlerts(context.Background(), put, remove); err != nil {
			t.Fatal(err)
		}
	}
	save([]alerts.Alert{alert("a", "1"), alert("b", "1"), alert("c", "1")})
	save([]alerts.Alert{alert("b", "2")}, "a", "b", "unknown")
	save(nil)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = open(t, dir)
	got, err := l.LoadAlerts()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]alerts.Alert{alert("b", "2"), alert("c", "1")}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := l.SaveAlerts(context.Background(), []alerts.Alert{{}}, nil); err == nil {
		t.Error("an alert without a fingerprint was stored")
	}
}

func TestIDsSortInTheOrderMade(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var made []string
	// The same instant, a clock set back, and no clock at all.
	for _, now := range []time.Time{start(), start(), start().Add(-time.Hour), {}, start().Add(time.Hour)} {
		for range 1000 {
			made = append(made, l.NewID(now))
		}
	}
	d := decision(l, "web", start())
	d.ID = made[len(made)-1]
	mustCommit(t, l, Record{Decision: d})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// A restart with the clock set back.
	made = append(made, open(t, dir).NewID(start()))
	for i := 1; i < len(made); i++ {
		if made[i-1] >= made[i] {
			t.Fatalf("ID %d: %s does not sort after %s", i, made[i], made[i-1])
		}
	}
}

func TestRecordsThatCannotBeKeys(t *testing.T) {
	l := open(t, t.TempDir())
	good := decision(l, "web", start())
	with := func(change func(*policy.Decision)) Record {
		d := *good
		change(&d)
		return Record{Decision: &d}
	}
	bad := map[string]Record{
		"no ID":             with(func(d *policy.Decision) { d.ID = "" }),
		"an ID of its own":  with(func(d *policy.Decision) { d.ID = "decision-17" }),
		"no policy":         with(func(d *policy.Decision) { d.Policy = "" }),
		"NUL":               with(func(d *policy.Decision) { d.Policy = "a\x00b" }),
		"a huge name":       with(func(d *policy.Decision) { d.Policy = strings.Repeat("x", 1<<20) }),
		"not a number":      with(func(d *policy.Decision) { d.Requirements = []policy.Requirement{{Usage: math.NaN()}} }),
		"action without ID": {Decision: good, Actions: []Action{{Policy: "web", Target: "t"}}},
		"no target":         {Decision: good, Actions: []Action{{ID: good.ID, Policy: "web"}}},
		"unnamed history":   {Decision: good, Histories: map[string]policy.History{"": {}}},
	}
	for name, r := range bad {
		if err := l.Commit(r); err == nil {
			t.Errorf("%s: committed", name)
		}
	}
	ds, err := l.Decisions(Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]policy.Decision(nil), ds); diff != "" {
		t.Errorf("a part of a refused record was written (-want +got):\n%s", diff)
	}
}

func TestAfterClose(t *testing.T) {
	l, err := Open(Options{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	d := decision(l, "web", start())
	l.Enqueue(Record{Decision: d})
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l.Enqueue(Record{Decision: d})
	if got := testutil.ToFloat64(l.metrics.dropped); got != 1 {
		t.Errorf("records dropped after Close: %v, want 1", got)
	}
	calls := map[string]func() error{
		"Commit":        func() error { return l.Commit(Record{Decision: d}) },
		"SetRequested":  func() error { return l.SetRequested("web", "swarm", 1, start()) },
		"LastRequested": func() error { _, _, err := l.LastRequested("web", "swarm"); return err },
		"SaveAlerts":    func() error { return l.SaveAlerts(context.Background(), nil, []string{"a"}) },
		"LoadAlerts":    func() error { _, err := l.LoadAlerts(); return err },
		"Decisions":     func() error { _, err := l.Decisions(Query{}); return err },
		"Actions":       func() error { _, err := l.Actions(Query{}); return err },
		"OpenActions":   func() error { _, err := l.OpenActions(); return err },
		"Histories":     func() error { _, err := l.Histories(); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v, want %v", name, err, ErrClosed)
		}
	}
}

func TestMetricsAreThereFromTheStart(t *testing.T) {
	reg := prometheus.NewRegistry()
	l := openWith(t, Options{Path: t.TempDir(), Registerer: reg})
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Error(problems)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	want := []string{
		"alertscaler_ledger_commit_duration_seconds", "alertscaler_ledger_commit_failures_total",
		"alertscaler_ledger_commits_total", "alertscaler_ledger_last_write_successful",
		"alertscaler_ledger_records_dropped_total",
		"alertscaler_ledger_records_pruned_total", "alertscaler_ledger_records_set_aside_total", "alertscaler_ledger_size_bytes",
	}
	if diff := cmp.Diff(want, names, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	mustCommit(t, l, Record{Decision: decision(l, "web", start())})
	if got := testutil.ToFloat64(l.metrics.commits); got != 1 {
		t.Errorf("commits_total %v, want 1", got)
	}
	if got := testutil.ToFloat64(l.metrics.size); got < 4096 {
		t.Errorf("size_bytes %v", got)
	}
}
