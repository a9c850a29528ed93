package alerts

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestOrderIsIrrelevant sends what happened to a few alerts in the order in
// which it happened to one book, and shuffled, with duplicates and cut into
// notifications at random, to another. As long as everything arrives within
// the window in which Alertmanager may be late, both books are the same.
func TestOrderIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var ordered []Alert
		for i := range rapid.IntRange(1, 4).Draw(rt, "alerts") {
			a := alertOf(fmt.Sprintf("a%d", i), rapid.SampledFrom([]string{"up", "down"}).Draw(rt, "scale"), "web")
			at := time.Duration(0)
			for range rapid.IntRange(0, 3).Draw(rt, "firings") {
				end := at + time.Duration(rapid.IntRange(1, 60).Draw(rt, "seconds"))*time.Second
				ordered = append(ordered, firing(a, at), resolved(a, at, end))
				at = end + time.Second
			}
			if rapid.Bool().Draw(rt, "still fires") {
				ordered = append(ordered, firing(a, at))
			}
		}
		again := rapid.SliceOfN(rapid.IntRange(0, max(len(ordered)-1, 0)), 0, len(ordered)).Draw(rt, "again")
		sent := append([]Alert(nil), ordered...)
		for _, i := range again {
			if i < len(ordered) {
				sent = append(sent, ordered[i])
			}
		}
		sent = rapid.Permutation(sent).Draw(rt, "sent")

		straight, shuffled := newFixture(t, Options{}), newFixture(t, Options{})
		for _, a := range ordered {
			straight.apply(a)
		}
		step := lateWindow / time.Duration(len(sent)+1)
		for len(sent) > 0 {
			n := rapid.IntRange(1, len(sent)).Draw(rt, "in one notification")
			shuffled.clock.add(step)
			shuffled.apply(sent[:n]...)
			sent = sent[n:]
			if rapid.Bool().Draw(rt, "expire") {
				shuffled.expire()
			}
		}

		ignore := cmpopts.IgnoreFields(Alert{}, "ReceivedAt", "LastSeen")
		if diff := cmp.Diff(straight.Alerts(), shuffled.Alerts(), ignore); diff != "" {
			rt.Errorf("book (-in order +shuffled):\n%s", diff)
		}
		want := straight.Counts("web")
		shuffled.wantCounts("web", want.Up, want.Down)
		if got := shuffled.Counts("web"); got != want {
			rt.Errorf("counts %+v, want %+v", got, want)
		}
		stored := newFixtureAt(t, t0.Add(time.Hour), Options{Store: shuffled.store})
		if diff := cmp.Diff(straight.Alerts(), stored.Alerts(), ignore); diff != "" {
			rt.Errorf("store (-in order +shuffled):\n%s", diff)
		}
	})
}

// TestReconcileEndsInTheTruth applies anything at all, and then an answer of
// Alertmanager: what it lists is what counts.
func TestReconcileEndsInTheTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture(t, Options{})
		fps := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(0, 12).Draw(rt, "events") {
			a := alertOf(fps.Draw(rt, "alert"), "up", "web")
			start := time.Duration(rapid.IntRange(0, 5).Draw(rt, "start")) * time.Second
			if rapid.Bool().Draw(rt, "fires") {
				f.apply(firing(a, start))
			} else {
				f.apply(resolved(a, start, start+time.Second))
			}
		}
		want := 0
		var truth []Alert
		for _, fp := range []string{"a", "b", "c"} {
			switch rapid.SampledFrom([]string{"fires", "silenced", "absent"}).Draw(rt, fp) {
			case "fires":
				want++
				truth = append(truth, firing(alertOf(fp, "up", "web"), 9*time.Second))
			case "silenced":
				truth = append(truth, silenced(firing(alertOf(fp, "up", "web"), 9*time.Second), "s"))
			}
		}
		f.clock.add(peerLag)
		if _, err := f.Reconcile(context.Background(), Answer{RequestedAt: f.clock.Now(), Alerts: truth, Settled: true}); err != nil {
			rt.Fatal(err)
		}
		f.wantCounts("web", want, 0)
		if got := len(f.Alerts()); got != len(truth) {
			rt.Errorf("%d alerts in the book, Alertmanager lists %d", got, len(truth))
		}
	})
}
