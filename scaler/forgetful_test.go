package scaler

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// forgetting is a ledger that nobody reads, and notes what it is given all the
// same.
type forgetting struct {
	Ledger
	histories, learnt, decisions, actions int
}

func (*forgetting) Forgets() {}

func (f *forgetting) Enqueue(r ledger.Record) { _ = f.Commit(r) }

func (f *forgetting) Commit(r ledger.Record) error {
	f.histories, f.learnt, f.actions = f.histories+len(r.Histories), f.learnt+len(r.Learnt), f.actions+len(r.Actions)
	if r.Decision != nil {
		f.decisions++
	}
	return nil
}

// TestALedgerThatNobodyReads changes no decision, and is not given what policies
// remember.
func TestALedgerThatNobodyReads(t *testing.T) {
	kept := newSchool(t, "{ objective: 0.95 }", demand(swinging))
	kept.steps(300)
	other := newSchool(t, "{ objective: 0.95 }", demand(swinging))
	f := &forgetting{}
	other.stop()
	other.forgets = f
	other.start()
	other.steps(300)
	if !slices.Equal(kept.decisions, other.decisions) {
		t.Error("it decides otherwise")
	}
	if f.histories+f.learnt > 0 || f.decisions == 0 || f.actions == 0 {
		t.Errorf("it was given %d histories, %d learnt states, %d decisions and %d actions", f.histories, f.learnt, f.decisions, f.actions)
	}
	if n := len(other.engine.snapshot()[0].history.Learning); n > 0 {
		t.Errorf("samples of %d resources are remembered for it", n)
	}
}

// patient is a platform that notes how long it is given.
type patient struct{ bounded []bool }

func (p *patient) note(ctx context.Context) {
	_, bounded := ctx.Deadline()
	p.bounded = append(p.bounded, bounded)
}

func (p *patient) Current(ctx context.Context) (target.State, error) {
	p.note(ctx)
	return target.State{Requested: 1, Ready: 1}, nil
}

func (p *patient) Scale(ctx context.Context, _ int) error {
	p.note(ctx)
	return nil
}

// TestThePlatformsTime is bounded, by ten seconds where nothing else is said,
// unless that is less than none.
func TestThePlatformsTime(t *testing.T) {
	for timeout, want := range map[time.Duration]bool{0: true, time.Minute: true, -1: false} {
		e, err := New(Options{Ledger: &forgetting{Ledger: newSchool(t, "{ ratio: 0.1 }", demand(swinging)).ledger}, PlatformTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		it := &patient{}
		bound := boundTarget{name: "t", target: it}
		r := newReader(e, "web", e.opts.Logger, &policy.History{})
		r.restored[it] = true
		if _, _, err := r.readOne(t.Context(), &bound); err != nil {
			t.Fatal(err)
		}
		k := asker{engine: e, logger: e.opts.Logger}
		if _, err := k.call(t.Context(), bound, &ledger.Action{Target: "t", To: 2, Direction: policy.Up}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(it.bounded, []bool{want, want}) {
			t.Errorf("a timeout of %s: bounded %t, want %t", timeout, it.bounded, want)
		}
	}
}
