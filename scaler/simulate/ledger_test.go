package simulate

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

func TestLedgerKeepsWhatWasWritten(t *testing.T) {
	l := NewLedger()
	for name, read := range map[string]func() (int, error){
		"histories": func() (int, error) { m, err := l.Histories(); return len(m), err },
		"actions":   func() (int, error) { m, err := l.OpenActions(); return len(m), err },
		"alerts":    func() (int, error) { m, err := l.LoadAlerts(); return len(m), err },
		"pauses":    func() (int, error) { m, err := l.Pauses(); return len(m), err },
	} {
		if n, err := read(); n != 0 || err != nil {
			t.Errorf("%s of an empty ledger: %d, %v", name, n, err)
		}
	}

	h := policy.History{Moves: []policy.Move{{ID: "1", At: noon, From: 1, To: 2}}}
	open := ledger.Action{ID: l.NewID(noon), Policy: "web", Target: "t", To: 2, State: ledger.Accepted, Created: noon}
	done := ledger.Action{ID: l.NewID(noon), Policy: "web", Target: "u", To: 2, State: ledger.Intended, Created: noon}
	l.Enqueue(ledger.Record{Histories: map[string]policy.History{"web": h}, Actions: []ledger.Action{open, done}})
	h.Moves[0].To = 3 // the caller's again
	done.State = ledger.Converged
	if err := l.Commit(ledger.Record{Actions: []ledger.Action{done}}); err != nil {
		t.Fatal(err)
	}
	h.Moves[0].To = 2
	histories, err := l.Histories()
	if diff := cmp.Diff(map[string]policy.History{"web": h}, histories); diff != "" || err != nil {
		t.Errorf("histories (-want +got):\n%s%v", diff, err)
	}
	actions, err := l.OpenActions()
	if diff := cmp.Diff([]ledger.Action{open}, actions); diff != "" || err != nil {
		t.Errorf("open actions (-want +got):\n%s%v", diff, err)
	}

	a := alerts.Alert{Fingerprint: "a", Status: alerts.Firing, StartsAt: noon}
	_ = l.SaveAlerts(context.Background(), []alerts.Alert{a, {Fingerprint: "b"}}, nil)
	_ = l.SaveAlerts(context.Background(), nil, []string{"b", "c"})
	stored, err := l.LoadAlerts()
	if diff := cmp.Diff([]alerts.Alert{a}, stored); diff != "" || err != nil {
		t.Errorf("alerts (-want +got):\n%s%v", diff, err)
	}

	p := policy.Pause{Since: noon, By: "alice", Comment: "load test"}
	_ = l.SavePause("web", p)
	_ = l.SavePause("shop", p)
	_ = l.DeletePause("shop")
	_ = l.DeletePause("nobody")
	pauses, err := l.Pauses()
	if diff := cmp.Diff(map[string]policy.Pause{"web": p}, pauses); diff != "" || err != nil {
		t.Errorf("pauses (-want +got):\n%s%v", diff, err)
	}
}

// TestLastRequestedIsThatOfTheDurableLedger holds the two side by side.
func TestLastRequestedIsThatOfTheDurableLedger(t *testing.T) {
	durable, err := ledger.Open(ledger.Options{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer durable.Close()
	l := NewLedger()
	ids := []string{durable.NewID(noon), durable.NewID(noon), durable.NewID(noon)}
	act := func(i, to int, state ledger.ActionState, accepted bool) func() error {
		a := ledger.Action{ID: ids[i], Decision: ids[i], Policy: "web", Target: "t", To: to, State: state, Created: noon}
		if accepted {
			a.Accepted = noon
		}
		return func() error {
			r := ledger.Record{Actions: []ledger.Action{a}}
			_ = l.Commit(r)
			return durable.Commit(r)
		}
	}
	set := func(n int) func() error {
		return func() error {
			_ = l.SetRequested("web", "t", n, noon)
			return durable.SetRequested("web", "t", n, noon)
		}
	}
	for i, do := range []func() error{
		func() error { return nil },
		act(0, 3, ledger.Intended, false),
		act(0, 3, ledger.Failed, false), // refused: nothing is known
		act(1, 4, ledger.Intended, false),
		act(1, 4, ledger.Accepted, true),
		act(0, 3, ledger.Superseded, false), // word of an older one
		act(1, 4, ledger.Failed, true),      // late, but requested
		set(7),
		act(1, 4, ledger.Superseded, true), // overtaken by someone else
		act(2, 9, ledger.Intended, false),
		act(2, 9, ledger.NotApplied, false), // back to what someone else set
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		n, known, _ := l.LastRequested("web", "t")
		wantN, wantKnown, _ := durable.LastRequested("web", "t")
		if n != wantN || known != wantKnown {
			t.Errorf("after %d: %d %t, want %d %t", i, n, known, wantN, wantKnown)
		}
	}
}
