package ledger

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

func TestOldRecordsArePruned(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: 10 * time.Minute})
	// More than one batch, a second apart.
	const n = 2*pruneBatch + 100
	var stuck Action
	for i := range n {
		at := start().Add(time.Duration(i) * time.Second)
		a := newAction(l, "web", "swarm", i, Converged, at)
		if i == 10 {
			a.State = Accepted
			stuck = a
		}
		l.Enqueue(Record{Decision: decision(l, fmt.Sprintf("policy-%d", i%3), at), Actions: []Action{a}})
	}
	now := start().Add(n * time.Second)
	l.flush()
	// A share at a time: a clock that is wrong for a minute cannot take all.
	passes := 0
	for before := -1.0; testutil.ToFloat64(l.metrics.pruned) != before; passes++ {
		before = testutil.ToFloat64(l.metrics.pruned)
		if err := l.pruneRecords(now, true); err != nil {
			t.Fatal(err)
		}
		if gone := testutil.ToFloat64(l.metrics.pruned) - before; passes > 0 && gone > 2*pruneLeast {
			t.Errorf("one pass removed %v of %d decisions and as many actions, want at most %d of each", gone, n, pruneLeast)
		}
	}
	if passes < 5 {
		t.Errorf("%d passes were enough", passes)
	}

	const kept = 600
	ds, err := l.Decisions(Query{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	if len(ds) != kept || ds[kept-1].Time.Before(now.Add(-10*time.Minute)) {
		t.Errorf("%d decisions are left, want the last %d", len(ds), kept)
	}
	for bucketName, want := range map[string]int{
		bucketDecisions: kept, bucketDecisionsByPolicy: kept,
		bucketActions: kept + 1, bucketActionsByPolicy: kept + 1, bucketActionsOpen: 1,
	} {
		if got := stored(t, l, bucketName); got != want {
			t.Errorf("bucket %s holds %d, want %d", bucketName, got, want)
		}
	}
	open, err := l.OpenActions()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Action{stuck}, open); diff != "" {
		t.Errorf("an open action is kept, whatever its age (-want +got):\n%s", diff)
	}
	if got, want := testutil.ToFloat64(l.metrics.pruned), float64(2*(n-kept)-1); got != want {
		t.Errorf("records_pruned_total %v, want %v", got, want)
	}
}

func TestDecisionsArePrunedByNumber(t *testing.T) {
	dir := t.TempDir()
	l := openWith(t, Options{Path: dir, MaxDecisions: 7})
	var made []string
	write := func(n int) {
		for range n {
			d := decision(l, "web", start())
			made = append([]string{d.ID}, made...)
			l.Enqueue(Record{Decision: d})
			l.Enqueue(Record{Decision: d}) // again is not one more
		}
		l.flush()
	}
	check := func(want int) {
		t.Helper()
		if err := l.pruneRecords(start(), true); err != nil {
			t.Fatal(err)
		}
		ds, err := l.Decisions(Query{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made[:want], ids(ds)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	write(5)
	check(5)
	write(5)
	check(7)
	// The count survives.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openWith(t, Options{Path: dir, MaxDecisions: 7})
	write(1)
	check(7)
}

func TestHistoriesOfPoliciesThatAreGone(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: time.Hour})
	old, now := start().Add(-2*time.Hour), start()
	mustCommit(t, l, Record{Histories: map[string]policy.History{
		"gone":       {LastSeen: old, Moves: []policy.Move{{ID: "m", At: old.Add(-time.Minute), Converged: old}}},
		"empty":      {},
		"seen":       {LastSeen: now},
		"on alerts":  {Observed: now},
		"moved":      {Moves: []policy.Move{{ID: "m", At: now}}},
		"converged":  {Moves: []policy.Move{{ID: "m", At: old, Converged: now}}},
		"recommends": {Samples: []policy.Sample{{First: old, Last: now}}},
	}})
	if err := l.pruneHistories(now, true); err != nil {
		t.Fatal(err)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"gone", "empty"} {
		if _, ok := hs[name]; ok {
			t.Errorf("%s is still there", name)
		}
	}
	if len(hs) != 5 {
		t.Errorf("%d histories are left, want 5", len(hs))
	}
}

func TestNothingIsPrunedForEver(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: -1, MaxDecisions: -1})
	mustCommit(t, l, Record{
		Decision:  decision(l, "web", time.Time{}),
		Histories: map[string]policy.History{"web": {}},
	})
	far := start().AddDate(100, 0, 0)
	if err := l.pruneRecords(far, true); err != nil {
		t.Fatal(err)
	}
	if err := l.pruneHistories(far, true); err != nil {
		t.Fatal(err)
	}
	if d, h := stored(t, l, bucketDecisions), stored(t, l, bucketHistories); d != 1 || h != 1 {
		t.Errorf("%d decisions and %d histories are left, want 1 and 1", d, h)
	}
}

// TestAClockThatJumps: what happens to be old by a clock that was set is not
// removed, until the clock has run steadily for a while.
func TestAClockThatJumps(t *testing.T) {
	var s steadiness
	mono := time.Now()
	wall := start()
	run := func(d time.Duration) { mono, wall = mono.Add(d), wall.Add(d) }
	look := func(what string, want, wantJump bool) {
		t.Helper()
		steady, jumped := s.look(wall, mono)
		if steady != want || (jumped != 0) != wantJump {
			t.Errorf("%s: steady %t, jumped by %s; want %t, %t", what, steady, jumped, want, wantJump)
		}
	}
	look("at the start", false, false)
	run(70 * time.Second)
	look("a minute later", false, false)
	run(steadyFor)
	look("after a while", true, false)
	wall = wall.AddDate(0, 0, 40)
	look("forty days ahead", false, true)
	run(70 * time.Second)
	look("still", false, false)
	wall = wall.AddDate(0, 0, -40)
	look("set back to what it was", true, true)
	run(time.Minute)
	look("from then on", true, false)
	wall = wall.Add(2 * time.Hour)
	look("two hours ahead", false, true)
	run(steadyFor / 2)
	look("for some minutes", false, false)
	run(steadyFor / 2)
	look("for good", true, false)
	wall = wall.Add(-3 * time.Hour)
	look("three hours back", false, true)
	run(steadyFor)
	look("for good again", true, false)
	run(30 * 24 * time.Hour)
	wall = wall.Add(20 * time.Second)
	look("thirty days, and twenty seconds of drift", true, false)
}

// TestRecordsOfAClockThatWasAhead: their IDs are later than now, and so are all
// that are made after them. They go by their own time.
func TestRecordsOfAClockThatWasAhead(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: time.Hour})
	ahead := l.NewID(start().AddDate(1, 0, 0))
	for i := range 10 {
		at := start().Add(time.Duration(i) * 10 * time.Minute)
		d := decision(l, "web", at)
		if d.ID < ahead {
			t.Fatalf("%s was made before %s", d.ID, ahead)
		}
		mustCommit(t, l, Record{Decision: d, Actions: []Action{newAction(l, "web", "swarm", i, Converged, at)}})
	}
	if err := l.pruneRecords(start().Add(90*time.Minute), true); err != nil {
		t.Fatal(err)
	}
	if d, a := stored(t, l, bucketDecisions), stored(t, l, bucketActions); d != 7 || a != 7 {
		t.Errorf("%d decisions and %d actions are left, want the 7 of the last hour", d, a)
	}
}

// TestAWrongClockTakesNoMoreThanAShare of what there is in one pass, also where
// nobody can tell that it is wrong, and nothing at all where one can.
func TestAWrongClockTakesNoMoreThanAShare(t *testing.T) {
	l := openWith(t, Options{Path: t.TempDir(), Retention: time.Hour})
	const n = 1000
	histories := map[string]policy.History{}
	for i := range n {
		l.Enqueue(Record{Decision: decision(l, "web", start()), Actions: []Action{newAction(l, "web", "swarm", 1, Converged, start())}})
		histories[strconv.Itoa(i)] = policy.History{LastSeen: start()}
	}
	mustCommit(t, l, Record{Histories: histories})
	ahead := start().AddDate(0, 0, 40)
	for _, byAge := range []bool{false, true} {
		if err := l.pruneRecords(ahead, byAge); err != nil {
			t.Fatal(err)
		}
		if err := l.pruneHistories(ahead, byAge); err != nil {
			t.Fatal(err)
		}
		share, historyShare := 0, 0
		if byAge {
			share, historyShare = pruneLeast, historyLeast
		}
		for name, want := range map[string]int{bucketDecisions: n - share, bucketActions: n - share, bucketHistories: n - historyShare} {
			if got := stored(t, l, name); got != want {
				t.Errorf("by age %t: %d are left in %s, want %d", byAge, got, name, want)
			}
		}
	}
}
