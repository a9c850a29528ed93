package ledger

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

func oneHistory(name string, replicas int) map[string]policy.History {
	return map[string]policy.History{name: {
		LastSeen: start(), Samples: []policy.Sample{{First: start(), Last: start(), Replicas: replicas}},
	}}
}

// stored reads without asking for a flush first.
func stored(t *testing.T, l *Ledger, bucketName string) int {
	t.Helper()
	tx, err := l.db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	n := 0
	_ = bucket(tx, bucketName).ForEach(func(_, _ []byte) error { n++; return nil })
	return n
}

func TestConcurrentCommitsShareTransactions(t *testing.T) {
	l := open(t, t.TempDir())
	const callers, each = 32, 20
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			name := fmt.Sprintf("policy-%d", c)
			for i := range each {
				// What was enqueued before belongs to the same or an earlier
				// transaction than the commit.
				l.Enqueue(Record{Histories: oneHistory(name, i)})
				if err := l.Commit(Record{Decision: decision(l, name, start())}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := stored(t, l, bucketDecisions); got != callers*each {
		t.Errorf("%d decisions on disk, want %d", got, callers*each)
	}
	if got := testutil.ToFloat64(l.metrics.commits); got >= callers*each {
		t.Errorf("%v transactions for %d commits: none was shared", got, callers*each)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Fatal(err)
	}
	for name, h := range hs {
		if h.Samples[0].Replicas != each-1 {
			t.Errorf("%s: history %d, want the last, %d", name, h.Samples[0].Replicas, each-1)
		}
	}
}

func TestEnqueuedIsWrittenUnasked(t *testing.T) {
	l := open(t, t.TempDir())
	begin := time.Now()
	l.Enqueue(Record{Decision: decision(l, "web", start()), Histories: oneHistory("web", 1)})
	// Later records must not put the first one off.
	for stored(t, l, bucketDecisions) == 0 {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("still not written after 10 s")
		}
		l.Enqueue(Record{Histories: oneHistory("web", 2)})
		time.Sleep(10 * time.Millisecond)
	}
	if took := time.Since(begin); took < flushInterval/2 {
		t.Errorf("written after %s: it did not wait for company", took)
	}
	if got := testutil.ToFloat64(l.metrics.commits); got > 1 {
		t.Errorf("%v transactions, want 1", got)
	}
}

func TestEnqueuedHistoriesCoalesce(t *testing.T) {
	l := open(t, t.TempDir())
	for i := range 1000 {
		l.Enqueue(Record{Histories: oneHistory("web", i)})
	}
	l.mu.Lock()
	waiting := len(l.pending.entries) + len(l.pending.histories)
	l.mu.Unlock()
	if waiting != 1 {
		t.Errorf("%d records wait, want 1", waiting)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(oneHistory("web", 999), hs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOrderBetweenEnqueueAndCommitIsKept(t *testing.T) {
	l := open(t, t.TempDir())
	a := newAction(l, "web", "swarm", 5, Intended, start())
	states := []ActionState{Intended, Accepted, Converged}
	for i, state := range states {
		a.State = state
		r := Record{Actions: []Action{a}, Histories: oneHistory("web", i)}
		if i%2 == 0 {
			l.Enqueue(r)
		} else if err := l.Commit(r); err != nil {
			t.Fatal(err)
		}
	}
	as, err := l.Actions(Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Action{a}, as); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(oneHistory("web", len(states)-1), hs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARecordMayBeChangedAfterwards(t *testing.T) {
	l := open(t, t.TempDir())
	d := decision(l, "web", start())
	l.Enqueue(Record{Decision: d})
	d.Placements[0].To = 99
	ds, err := l.Decisions(Query{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ds[0].Placements[0].To; got != 9 {
		t.Errorf("placement to %d, want the enqueued 9", got)
	}
}

func TestAFailingDisk(t *testing.T) {
	l, err := Open(Options{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	// bbolt refuses to grow the file, as it would where no space is left.
	full := func(on bool) {
		l.flush()
		l.db.MaxSize = 0
		if on {
			l.db.MaxSize = 1
		}
	}
	huge := decision(l, strings.Repeat("x", maxName), start())
	huge.Steps = make([]policy.Step, 50_000)
	first, second := decision(l, "first", start()), decision(l, "second", start())

	full(true)
	l.Enqueue(Record{Decision: first, Histories: oneHistory("web", 1)})
	if err := l.Commit(Record{Decision: huge, Histories: oneHistory("web", 2)}); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Fatalf("commit on a full disk: %v", err)
	}
	if err := l.Err(); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Errorf("health: %v, want the disk's error", err)
	}
	l.Enqueue(Record{Decision: second})

	full(false)
	ds, err := l.Decisions(Query{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{second.ID, first.ID}, ids(ds)); diff != "" {
		t.Errorf("enqueued records are kept, the refused commit is not (-want +got):\n%s", diff)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(oneHistory("web", 1), hs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := l.Err(); err != nil {
		t.Errorf("health after recovery: %v", err)
	}
	if got := testutil.ToFloat64(l.metrics.commitFailures); got < 1 {
		t.Errorf("commit_failures_total %v", got)
	}
	if got := testutil.ToFloat64(l.metrics.dropped); got != 0 {
		t.Errorf("records_dropped_total %v, want 0", got)
	}

	full(true)
	huge.ID = l.NewID(start())
	l.Enqueue(Record{Decision: huge})
	if err := l.Close(); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Errorf("close with records left over: %v", err)
	}
	if got := testutil.ToFloat64(l.metrics.dropped); got != 1 {
		t.Errorf("records_dropped_total %v, want 1", got)
	}
}

// TestAFailingDiskIsNoticedToBeWell: where only a commit failed and nobody has
// anything to write, the ledger finds out by itself that the disk is well.
func TestAFailingDiskIsNoticedToBeWell(t *testing.T) {
	reg := prometheus.NewRegistry()
	l := openWith(t, Options{Path: t.TempDir(), Registerer: reg})
	wantGauge := func(want float64) {
		t.Helper()
		expected := fmt.Sprintf("# HELP alertscaler_ledger_last_write_successful Whether the last write to the ledger succeeded; while it did not, one is tried every second. 0 too while a write goes unanswered.\n# TYPE alertscaler_ledger_last_write_successful gauge\nalertscaler_ledger_last_write_successful %v\n", want)
		if err := testutil.GatherAndCompare(reg, strings.NewReader(expected), "alertscaler_ledger_last_write_successful"); err != nil {
			t.Error(err)
		}
	}
	wantGauge(1)
	l.flush()
	l.db.MaxSize = 1
	huge := decision(l, "web", start())
	huge.Steps = make([]policy.Step, 50_000)
	if err := l.Commit(Record{Decision: huge}); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Fatalf("commit on a full disk: %v", err)
	}
	if err := l.Err(); !errors.Is(err, berrors.ErrMaxSizeReached) {
		t.Errorf("health: %v, want the disk's error", err)
	}
	wantGauge(0)
	realtest.Eventually(t, time.Minute, 10*time.Millisecond, "the ledger is well again", l.Err)
	wantGauge(1)
}

func TestWhatWaitsIsBounded(t *testing.T) {
	l := open(t, t.TempDir())
	l.maxLazyBytes = 1 << 20
	// The writer's lock is held: the disk takes nothing.
	tx, err := l.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	big := decision(l, "web", start())
	big.Steps = make([]policy.Step, 5000)
	enqueued := 0
	for testutil.ToFloat64(l.metrics.dropped) == 0 && enqueued < 100 {
		big.ID = l.NewID(start())
		l.Enqueue(Record{Decision: big})
		enqueued++
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if enqueued == 100 {
		t.Error("nothing was dropped")
	}
	l.flush()
	if got := stored(t, l, bucketDecisions); got < enqueued-2 {
		t.Errorf("%d of %d decisions written", got, enqueued)
	}
}

// TestADiskThatDoesNotAnswer: whoever waits for it leaves when its context
// ends, and what it wanted to write goes with it unless it is on its way. What
// was enqueued stays.
func TestADiskThatDoesNotAnswer(t *testing.T) {
	l := open(t, t.TempDir())
	// The writer's lock is held: the disk takes nothing.
	tx, err := l.db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("the sender has gone")
	save := func(name string) error {
		ctx, leave := context.WithCancelCause(t.Context())
		result := make(chan error)
		go func() { result <- l.SaveAlerts(ctx, []alerts.Alert{{Fingerprint: name}}, nil) }()
		for waiting := false; !waiting; runtime.Gosched() {
			l.mu.Lock()
			if waiting = len(l.pending.waiters) > 0; name == "under way" {
				waiting = l.writing // until then it can still be withdrawn
			}
			l.mu.Unlock()
			select {
			case err := <-result:
				leave(nil)
				return err
			default:
			}
		}
		leave(gone)
		return <-result
	}
	if err := save("under way"); !errors.Is(err, gone) {
		t.Errorf("under way: %v, want %v", err, gone)
	}
	for range 100 {
		if err := save("waiting"); !errors.Is(err, gone) || !strings.Contains(err.Error(), l.file) {
			t.Errorf("waiting: %v, want %v and the file's name", err, gone)
		}
	}
	l.Enqueue(Record{Histories: oneHistory("web", 1)})
	l.mu.Lock()
	if n, m := len(l.pending.entries), len(l.pending.waiters); n != 0 || m != 0 {
		t.Errorf("%d writes and %d waiters are left behind", n, m)
	}
	// As if it had been so for a minute.
	l.writeBegan = l.writeBegan.Add(-time.Minute)
	l.mu.Unlock()
	if err := l.Err(); err == nil || !strings.Contains(err.Error(), "the disk has not answered for 1m0s") {
		t.Errorf("health: %v", err)
	}

	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	stored, err := l.LoadAlerts()
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != 1 || stored[0].Fingerprint != "under way" {
		t.Errorf("stored: %v; want what was under way", stored)
	}
	if hs, err := l.Histories(); err != nil || len(hs) != 1 {
		t.Errorf("%d histories, %v; want what was enqueued", len(hs), err)
	}
	if err := l.Err(); err != nil {
		t.Errorf("health afterwards: %v", err)
	}
}

// TestAWithdrawnHistoryGivesWayToTheOneBefore that was enqueued.
func TestAWithdrawnHistoryGivesWayToTheOneBefore(t *testing.T) {
	var b batch
	a, c := make(chan error), make(chan error)
	b.add(encoded{histories: map[string][]byte{"web": []byte("1"), "api": []byte("1")}}, a)
	b.add(encoded{histories: map[string][]byte{"web": []byte("2")}}, nil)
	b.add(encoded{histories: map[string][]byte{"web": []byte("3"), "batch": []byte("3")}}, c)
	b.withdraw(c)
	want := map[string]string{"web": "2", "api": "1"}
	got := map[string]string{}
	for name, h := range b.histories {
		got[name] = string(h.value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.withdraw(a)
	if len(b.histories) != 1 || b.lazyRecords() != 1 {
		t.Errorf("%d histories, %d of them enqueued; want the enqueued one", len(b.histories), b.lazyRecords())
	}
}
