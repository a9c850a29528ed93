package ledger

import (
	"fmt"
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
		a := action(l, "web", "swarm", i, Converged, at)
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
