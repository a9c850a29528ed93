package simulate_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/simulate"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// TestARestartChangesNothing runs each story with a restart before every
// evaluation, and with one restart before each of them in turn. Whatever the
// ledger does not keep shows as a decision that comes out otherwise.
func TestARestartChangesNothing(t *testing.T) {
	for _, file := range stories(t) {
		f, err := simulate.Load(file, install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		for _, story := range f.Tests {
			t.Run(filepath.Base(file)+"/"+story.Name, func(t *testing.T) {
				want := decisions(t, story, nil)
				if diff := difference(want, decisions(t, story, simulate.EveryStep)); diff != "" {
					t.Errorf("a restart before every evaluation:\n%s", diff)
				}
				// Of a story of hours, every so many: each costs a run.
				for k := 0; k < len(want); k += 1 + len(want)/50 {
					if diff := difference(want, decisions(t, story, simulate.AtStep(k))); diff != "" {
						t.Errorf("a restart before the evaluation at %s:\n%s", want[k].At, diff)
						break // one is enough to look at
					}
				}
			})
		}
	}
}

// TestARestartOnTheFileChangesNothing is the same on the ledger that servers
// have, closed and opened again before every evaluation.
func TestARestartOnTheFileChangesNothing(t *testing.T) {
	for _, file := range stories(t) {
		f, err := simulate.Load(file, install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		for _, story := range f.Tests {
			t.Run(filepath.Base(file)+"/"+story.Name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				r, err := simulate.Run(t.Context(), story, simulate.Options{
					RestartBefore: simulate.EveryStep,
					OpenLedger: func(now func() time.Time) (simulate.Durable, error) {
						return ledger.Open(ledger.Options{Path: dir, Now: now})
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if diff := difference(decisions(t, story, nil), r.Steps); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func decisions(t *testing.T, story *simulate.Test, restart func(int) bool) []simulate.Step {
	t.Helper()
	r, err := simulate.Run(t.Context(), story, simulate.Options{RestartBefore: restart})
	if err != nil {
		t.Fatal(err)
	}
	return r.Steps
}

// difference is that of the first evaluation that differs; IDs count for
// nothing. What is written is compared first: that is quick, and what is
// equal there is equal.
func difference(want, got []simulate.Step) string {
	for i := range want {
		if bytes.Equal(encoded(want[i]), encoded(got[i])) {
			continue
		}
		if diff := cmp.Diff(want[i], got[i], cmpopts.IgnoreFields(policy.Decision{}, "ID")); diff != "" {
			return "at " + want[i].At.String() + " (-without +with):\n" + diff
		}
	}
	return ""
}

// encoded is an evaluation as it is written, without IDs.
func encoded(s simulate.Step) []byte {
	var b []byte
	for _, d := range s.Decisions {
		c := *d
		c.ID = ""
		text, err := json.Marshal(c)
		if err != nil {
			panic(err)
		}
		b = append(b, text...)
	}
	return b
}
