package scaler

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestNothingIsScaledDownAfterALossBeforeAFullWindow: a ledger of which nothing
// could be read leaves a policy that acts on alerts alone without the cooldown
// that it was in. It begins with a whole one, and goes up at once all the same.
func TestNothingIsScaledDownAfterALossBeforeAFullWindow(t *testing.T) {
	const cooldown = 5 * time.Minute
	for name, tc := range map[string]struct {
		lose  bool
		after time.Duration
		first policy.Reason
	}{
		"lost":  {true, cooldown, policy.ReasonCoolingDown},
		"whole": {false, 0, policy.ReasonScaledDown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 4, nil) // cools down for five minutes by default
				w.wait(time.Hour)
				w.stop()
				if tc.lose {
					file := filepath.Join(w.dir, "ledger.db")
					if err := os.WriteFile(file, make([]byte, 32<<10), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				w.repair = true
				w.start()
				began := time.Now()
				w.fire("web", policy.Down)
				if got := w.last("web").Reason; got != tc.first {
					t.Errorf("right after the start: %s, want %s", got, tc.first)
				}
				requested := func() int { s, _ := w.platform["web"].Current(t.Context()); return s.Requested }
				for requested() != 3 {
					w.wait(time.Second)
					if time.Since(began) > time.Hour {
						t.Fatal("never scaled down")
					}
				}
				if took := time.Since(began); took < tc.after || took > tc.after+time.Minute {
					t.Errorf("scaled down after %s, want %s", took, tc.after)
				}
			})
		})
	}
	t.Run("up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 4, nil)
			w.stop()
			if err := os.WriteFile(filepath.Join(w.dir, "ledger.db"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			w.repair = true
			w.start()
			w.fire("web", policy.Up)
			if got := w.last("web").Reason; got != policy.ReasonScaledUp {
				t.Errorf("%s, want %s", got, policy.ReasonScaledUp)
			}
		})
	})
}
