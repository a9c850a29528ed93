package simulate_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
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
	each(t, func(t *testing.T, story *simulate.Test) {
		want := decisions(t, story, simulate.Options{})
		got := decisions(t, story, simulate.Options{RestartBefore: simulate.EveryStep})
		if diff := difference(want, got); diff != "" {
			t.Errorf("a restart before every evaluation:\n%s", diff)
		}
		// Of a story of hours, every so many: each costs a run.
		every := func(k int) bool { return k%(1+len(want)/50) == 0 }
		told := false // one is enough to look at
		r, err := simulate.RestartedAt(t.Context(), story, every, func(k int, got []simulate.Step) {
			if diff := difference(want[k:], got); diff != "" && !told {
				told = true
				t.Errorf("a restart before the evaluation at %s:\n%s", want[k].At, diff)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := difference(want, r.Steps); diff != "" {
			t.Errorf("the same again:\n%s", diff)
		}
	})
}

// TestRestartedAtIsARun: what RestartedAt does not play again makes no
// difference. Each story is restarted in its middle by either.
func TestRestartedAtIsARun(t *testing.T) {
	each(t, func(t *testing.T, story *simulate.Test) {
		middle := int(story.Expect[len(story.Expect)-1].At.Std()/story.Interval.Std()) / 2
		want := decisions(t, story, simulate.Options{RestartBefore: simulate.AtStep(middle)})
		played := false
		_, err := simulate.RestartedAt(t.Context(), story, func(k int) bool { return k == middle }, func(k int, got []simulate.Step) {
			played = true
			if diff := difference(want[k:], got); diff != "" {
				t.Error(diff)
			}
		})
		if err != nil || !played {
			t.Errorf("played: %t, %v", played, err)
		}
	})
}

// TestARestartOnTheFileChangesNothing is the same on the ledger that servers
// have, closed and opened again before every evaluation.
func TestARestartOnTheFileChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, story *simulate.Test) {
		dir := t.TempDir()
		got := decisions(t, story, simulate.Options{
			RestartBefore: simulate.EveryStep,
			OpenLedger: func(now func() time.Time) (simulate.Durable, error) {
				return ledger.Open(ledger.Options{Path: dir, Now: now})
			},
		})
		if diff := difference(decisions(t, story, simulate.Options{}), got); diff != "" {
			t.Error(diff)
		}
	})
}

// each runs a subtest for every story, several at a time.
func each(t *testing.T, test func(t *testing.T, story *simulate.Test)) {
	t.Helper()
	for _, file := range stories(t) {
		f, err := simulate.Load(file, install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		for _, story := range f.Tests {
			t.Run(filepath.Base(file)+"/"+story.Name, func(t *testing.T) {
				t.Parallel()
				test(t, story)
			})
		}
	}
}

func decisions(t *testing.T, story *simulate.Test, o simulate.Options) []simulate.Step {
	t.Helper()
	r, err := simulate.Run(t.Context(), story, o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Steps
}

// difference is that of the first evaluation that differs; IDs count for
// nothing. What is equal in memory is looked at first, for that is quick and
// nearly always so. What differs there only as encodings do not, as an empty
// list and none, is equal.
func difference(want, got []simulate.Step) string {
	for i := range want {
		if reflect.DeepEqual(anonymous(want[i]), anonymous(got[i])) || bytes.Equal(encoded(want[i]), encoded(got[i])) {
			continue
		}
		if diff := cmp.Diff(want[i], got[i], cmpopts.IgnoreFields(policy.Decision{}, "ID")); diff != "" {
			return "at " + want[i].At.String() + " (-without +with):\n" + diff
		}
	}
	return ""
}

// anonymous is the decisions of an evaluation without IDs.
func anonymous(s simulate.Step) []policy.Decision {
	all := make([]policy.Decision, len(s.Decisions))
	for i, d := range s.Decisions {
		all[i] = *d
		all[i].ID = ""
	}
	return all
}

// encoded is an evaluation as it is written, without IDs.
func encoded(s simulate.Step) []byte {
	text, err := json.Marshal(anonymous(s))
	if err != nil {
		panic(err)
	}
	return text
}
