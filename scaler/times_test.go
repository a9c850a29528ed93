package scaler

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	stepped "github.com/alertscaler/alertscaler/scaler/clock"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// writtenAhead leaves in the ledger what a server leaves whose clock was ahead.
func (w *world) writtenAhead(ahead time.Duration) {
	w.t.Helper()
	at := time.Now().Add(ahead)
	three := 3
	h := policy.History{
		Observed: at,
		Moves:    []policy.Move{{ID: "m", At: at, Converged: at, From: 2, To: 3}},
		Backoffs: map[string]policy.Backoffs{"t": {Up: policy.Backoff{Until: at.Add(time.Minute), Failures: 1}}},
		Targets:  []policy.TargetMemory{{Name: "t", Requested: &three, Ready: 3}},
	}
	if err := w.ledger.Commit(ledger.Record{Histories: map[string]policy.History{"web": h}}); err != nil {
		w.t.Fatal(err)
	}
	if err := w.ledger.SavePause("web", policy.Pause{Since: at, Until: time.Now().Add(time.Second), By: "alice"}); err != nil {
		w.t.Fatal(err)
	}
}

// TestAClockThatWentBackFreezesNothing: what the last run noted ahead of now
// counts from now, and the log says so.
func TestAClockThatWentBackFreezesNothing(t *testing.T) {
	for _, ahead := range []time.Duration{2 * time.Hour, 72 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 3, nil)
				said := &bytes.Buffer{}
				w.logger = log.NewLogfmtLogger(log.NewSyncWriter(said))
				if err := w.engine.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.writtenAhead(ahead)
				if err := w.ledger.Close(); err != nil {
					t.Fatal(err)
				}
				w.start()
				w.fire("web", policy.Up)
				w.wait(2 * time.Minute)
				if got := w.platform["web"].calls(); len(got) == 0 {
					d := w.last("web")
					t.Errorf("nothing was asked for two minutes later: %s", d.Explain())
				}
				if s := said.String(); !strings.Contains(s, "policy=web") || !strings.Contains(s, "ahead="+ahead.String()) || !strings.Contains(s, "move") {
					t.Errorf("said %s", s)
				}
			})
		})
	}
}

func cooldown(d time.Duration) *config.Duration {
	v := config.Duration(d)
	return &v
}

// steps is a wall clock that can be stepped on top of the test's own time.
type steps struct{ by atomic.Int64 }

func (s *steps) clock() *stepped.Clock {
	start := time.Now()
	return stepped.New(stepped.Options{
		Wall:    func() time.Time { return time.Now().Add(time.Duration(s.by.Load())) },
		Elapsed: func() time.Duration { return time.Since(start) },
	})
}

// TestAStepOfTheWallClockEndsNothing: neither a pause nor a cooldown, whether
// it passes or lasts. A pause ends when its time has come by the clock that
// turned out to be right.
func TestAStepOfTheWallClockEndsNothing(t *testing.T) {
	for name, lasts := range map[string]bool{"it passes": false, "it lasts": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &steps{}
				w := newWorld(t, 2, func(p *config.Policy) {
					p.ScaleUp.Cooldown = cooldown(30 * time.Minute)
				})
				w.clock = s.clock()
				w.restart()
				w.also("other", 2)
				w.wait(time.Second)
				w.fire("web", policy.Up) // cools down from now on for half an hour
				until := time.Now().Add(24 * time.Hour)
				if _, err := w.engine.Pause("other", policy.Pause{Until: until, By: "alice"}); err != nil {
					t.Fatal(err)
				}
				w.fire("other", policy.Up)
				w.wait(time.Minute)

				s.by.Store(int64(40 * 24 * time.Hour))
				w.wait(70 * time.Second)
				if !lasts {
					s.by.Store(0)
				}
				w.wait(3 * time.Minute)
				if got := w.platform["other"].calls(); len(got) > 0 {
					t.Errorf("the pause has ended: %v", got)
				}
				w.wait(20 * time.Minute)
				if got := w.platform["web"].calls(); len(got) != 1 {
					t.Errorf("the cooldown has ended after 25 minutes: %v", got)
				}
				w.wait(10 * time.Minute)
				if got := w.platform["web"].calls(); len(got) != 2 {
					d := w.last("web")
					t.Errorf("the cooldown has not ended after 35 minutes: %v, %s", got, d.Explain())
				}
				if ended := len(w.platform["other"].calls()) > 0; ended != lasts {
					t.Errorf("the pause until a date that the right clock shows only where the step lasts has ended: %t", ended)
				}
			})
		})
	}
}

// TestAStepBackThatLasts freezes nothing either.
func TestAStepBackThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &steps{}
		w := newWorld(t, 2, func(p *config.Policy) { p.ScaleUp.Cooldown = cooldown(10 * time.Minute) })
		w.clock = s.clock()
		w.restart()
		w.wait(time.Second)
		w.fire("web", policy.Up)
		w.wait(time.Minute)
		s.by.Store(int64(-72 * time.Hour))
		w.wait(10 * time.Minute)
		if got := w.platform["web"].calls(); len(got) != 2 {
			d := w.last("web")
			t.Errorf("asked for %v after eleven minutes: %s", got, d.Explain())
		}
	})
}
