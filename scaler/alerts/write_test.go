package alerts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// together has n notifications, each of an alert of its own, wait while one
// write is under way, and returns their errors and changes once all are done.
func together(t *testing.T, f *fixture, n int) ([]error, []Change) {
	t.Helper()
	entered, release := make(chan struct{}, n+1), make(chan struct{})
	f.store.enter = func() { entered <- struct{}{}; <-release }
	defer func() { f.store.enter = nil }()

	var wg sync.WaitGroup
	wg.Go(func() { f.apply(firing(alertOf("first", "up", "api"), 0)) })
	<-entered

	errs, changes := make([]error, n), make([]Change, n)
	for i := range n {
		wg.Go(func() {
			a := firing(alertOf(fmt.Sprintf("b%d", i), "up", "web"), 0)
			changes[i], errs[i] = f.Apply(context.Background(), Notification{Alerts: []Alert{a}})
		})
	}
	for waiting := 0; waiting < n; time.Sleep(time.Millisecond) {
		f.mu.RLock()
		waiting = len(f.queue)
		f.mu.RUnlock()
	}
	f.wantCounts("web", 0, 0) // nothing is in the book that is not stored
	close(release)
	wg.Wait()
	return errs, changes
}

// TestApplyStoresTogether: what comes while the disk is busy goes to it in one
// write.
func TestApplyStoresTogether(t *testing.T) {
	f := newFixture(t, Options{})
	var (
		mu    sync.Mutex
		woken int
	)
	f.onChange = func([]string) { mu.Lock(); woken++; mu.Unlock() }
	errs, changes := together(t, f, 20)
	for i := range errs {
		if c := changes[i]; errs[i] != nil || c.Added != 1 || c.Removed+c.Updated+c.Refreshed != 0 {
			t.Errorf("notification %d: %+v, %v; want its own alert added", i, c, errs[i])
		}
	}
	if f.store.writes != 2 || woken != 2 {
		t.Errorf("%d writes and %d wake-ups for one notification and 20 that waited, want 2 and 2", f.store.writes, woken)
	}
	f.wantCounts("web", 20, 0)
	if stored, _ := f.store.LoadAlerts(); len(stored) != 21 {
		t.Errorf("%d alerts stored, want 21", len(stored))
	}
}

// TestWritesKeepApart: of writes that follow one another, each waits for the
// interval since the one before began, and takes along what comes meanwhile.
// One that comes alone does not wait.
func TestWritesKeepApart(t *testing.T) {
	const interval, write = 10 * time.Millisecond, 3 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Options{WriteInterval: interval})
		f.onChange = nil
		f.store.enter = func() { time.Sleep(write) }
		apply := func(name string) {
			n := Notification{Alerts: []Alert{firing(alertOf(name, "up", "web"), 0)}}
			if _, err := f.Apply(t.Context(), n); err != nil {
				t.Error(err)
			}
		}
		took := func(what string, want time.Duration, do func()) {
			t.Helper()
			began := time.Now()
			do()
			if got := time.Since(began); got != want {
				t.Errorf("%s took %s, want %s", what, got, want)
			}
		}
		took("one alone", write, func() { apply("a") })
		took("one at once after it", interval, func() { apply("b") })
		took("twenty together, then", interval, func() {
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() { apply(fmt.Sprintf("t%d", i)) })
			}
			wg.Wait()
		})
		if f.store.writes != 3 {
			t.Errorf("%d writes, want 3", f.store.writes)
		}
		took("a repeat", 0, func() { apply("a") })
		time.Sleep(interval)
		took("one much later", write, func() { apply("c") })
	})
}

// TestApplyFailsTogether: where the write fails, nobody is told otherwise.
func TestApplyFailsTogether(t *testing.T) {
	f := newFixture(t, Options{})
	f.onChange = nil
	full := errors.New("disk full")
	entered, release := make(chan struct{}, 9), make(chan struct{})
	f.store.enter = func() { entered <- struct{}{}; <-release }
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			a := firing(alertOf(fmt.Sprintf("b%d", i), "up", "web"), 0)
			if _, err := f.Apply(context.Background(), Notification{Alerts: []Alert{a}}); !errors.Is(err, full) {
				t.Errorf("notification %d: error %v, want %v", i, err, full)
			}
		})
	}
	<-entered
	f.store.mu.Lock()
	f.store.err = full
	f.store.mu.Unlock()
	close(release)
	wg.Wait()
	f.wantCounts("web", 0, 0)

	f.store.err, f.store.enter = nil, nil
	f.apply(firing(alertOf("b0", "up", "web"), 0))
	f.wantCounts("web", 1, 0)
}

// TestApplyGivesUpOnAStoreThatDoesNotAnswer: whoever waits for a write returns
// when its context ends, whether the write is under way or has not begun, and
// leaves nothing behind. The write that hangs goes on, and reaches the book.
func TestApplyGivesUpOnAStoreThatDoesNotAnswer(t *testing.T) {
	f := newFixture(t, Options{})
	f.onChange = nil
	entered, release := make(chan struct{}, 1), make(chan struct{})
	f.store.enter = func() { entered <- struct{}{}; <-release }

	gone := errors.New("the sender has gone")
	apply := func(ctx context.Context, name string) error {
		_, err := f.Apply(ctx, Notification{Alerts: []Alert{firing(alertOf(name, "up", "web"), 0)}})
		return err
	}
	first, leave := context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() { result <- apply(first, "a") }()
	<-entered
	leave(gone)
	if err := <-result; !errors.Is(err, gone) {
		t.Errorf("the one whose write hangs: %v, want %v", err, gone)
	}

	// Retries, as Alertmanager makes them.
	const retries = 50
	before := runtime.NumGoroutine()
	for range retries {
		ctx, leave := context.WithCancelCause(t.Context())
		go func() { result <- apply(ctx, "b") }()
		for waiting := 0; waiting == 0; runtime.Gosched() {
			f.mu.RLock()
			waiting = len(f.queue)
			f.mu.RUnlock()
		}
		leave(gone)
		if err := <-result; !errors.Is(err, gone) {
			t.Errorf("one that waits for its turn: %v, want %v", err, gone)
		}
	}
	if n := runtime.NumGoroutine() - before; n > retries/2 {
		t.Errorf("%d retries left %d goroutines behind", retries, n)
	}
	if _, err := f.Expire(first, f.now()); !errors.Is(err, gone) {
		t.Errorf("what goes by the whole book: %v, want %v", err, gone)
	}
	f.mu.RLock()
	waiting := len(f.queue)
	f.mu.RUnlock()
	if waiting != 0 {
		t.Errorf("%d notifications still wait", waiting)
	}

	f.store.enter = nil
	close(release)
	f.apply(firing(alertOf("c", "up", "web"), 0))
	f.wantCounts("web", 2, 0) // a, whose write hung, and c
}

// TestAReloadDoesNotWaitForTheStore: new rules, and that nothing need be
// confirmed any more, count at once for what is in the book, and for what is
// being stored once it is.
func TestAReloadDoesNotWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which waiting for ever is a failure
		f := confirming(t, Options{})
		f.onChange = nil
		f.reconcile(true, firing(alertOf("a0", "up", "api"), 0))
		release := make(chan struct{})
		f.store.enter = func() { <-release }
		var wg sync.WaitGroup
		wg.Go(func() {
			f.apply(firing(alertOf("a1", "up", "web"), 0), firing(alertOf("a2", "up", "db"), 0), firing(alertOf("a3", "up", "api"), 0))
		})
		synctest.Wait()

		f.SetRules(rules(t, "api", "db"))
		f.SetConfirm(false)
		f.wantCounts("api", 1, 0)
		f.wantCounts("db", 0, 0)
		close(release)
		wg.Wait()
		f.wantCounts("api", 2, 0)
		f.wantCounts("db", 1, 0)
		if n := len(f.AlertsFor("web")); n != 0 || len(f.unmatched) != 1 || len(f.unconfirmed) != 0 {
			t.Errorf("%d alerts speak for a policy that is gone; %d for none, want 1; %d wait for Alertmanager", n, len(f.unmatched), len(f.unconfirmed))
		}
		// The shares of the book add up: an empty one is empty.
		for _, a := range f.Alerts() {
			f.apply(resolved(a, 0, time.Second))
		}
		f.wantCounts("db", 0, 0)
		if f.Len() != 0 || f.bytes != 0 || f.unmatchedBytes != 0 || len(f.unmatched) != 0 {
			t.Errorf("%d alerts of %d bytes, %d bytes of nobody", f.Len(), f.bytes, f.unmatchedBytes)
		}
	})
}

// TestWhatWaitsForTheStoreIsBounded: a store that does not answer cannot take
// all memory with it.
func TestWhatWaitsForTheStoreIsBounded(t *testing.T) {
	f := newFixture(t, Options{})
	f.mu.Lock()
	for range maxWaiting {
		f.queue = append(f.queue, &waiting{ctx: t.Context(), done: make(chan struct{})})
	}
	f.mu.Unlock()
	_, err := f.Apply(t.Context(), Notification{Alerts: []Alert{firing(alertOf("a", "up", "web"), 0)}})
	if !errors.Is(err, errWaiting) {
		t.Errorf("%v, want %v", err, errWaiting)
	}
}

// TestABookWithoutAStoreIsTheSame: what changes it is told of at once.
func TestABookWithoutAStoreIsTheSame(t *testing.T) {
	kept := newFixture(t, Options{})
	var told [][]string
	alone, err := New(Options{Rules: rules(t, "web", "api"), Now: kept.clock.Now, OnChange: func(ps []string) { told = append(told, ps) }})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		var n Notification
		for range 1 + random.IntN(3) {
			a := firing(alertOf(fmt.Sprintf("a%d", random.IntN(5)), []string{"up", "down"}[random.IntN(2)], []string{"web", "api", "nobody"}[random.IntN(3)]), 0)
			a.StartsAt = kept.clock.Now().Add(-time.Duration(random.IntN(90)) * time.Second)
			if random.IntN(2) == 0 {
				a.Status, a.EndsAt = Resolved, kept.clock.Now()
			}
			n.Alerts = append(n.Alerts, a)
		}
		want, err := kept.Apply(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := alone.Apply(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-with a store +without):\n%s", diff)
		}
		if diff := cmp.Diff(kept.Alerts(), alone.Alerts()); diff != "" {
			t.Fatalf("alerts (-with a store +without):\n%s", diff)
		}
		kept.clock.add(time.Duration(random.IntN(60)) * time.Second)
	}
	if diff := cmp.Diff(kept.changed, told); diff != "" || len(told) < 100 {
		t.Errorf("OnChange %d times (-with a store +without):\n%s", len(told), diff)
	}
}
