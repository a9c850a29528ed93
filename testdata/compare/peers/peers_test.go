package peers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/simulate/plant"
	"github.com/alertscaler/alertscaler/testdata/compare/peers"
)

// answers asks a controller about one usage after the other; what it requests
// is ready by the next time.
func answers(c plant.Controller, interval time.Duration, start int, usage ...float64) []int {
	var out []int
	replicas := start
	for i, u := range usage {
		replicas = c.Desired(plant.Signal{Now: time.Duration(i) * interval, Usage: u, Ready: replicas, Requested: replicas})
		out = append(out, replicas)
	}
	return out
}

func expect(t *testing.T, want, got []int) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replicas differ (-want +got):\n%s", diff)
	}
}

func times(n int, usage float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = usage
	}
	return out
}

const interval = 15 * time.Second

func TestNomadCoolsDownAfterAnAction(t *testing.T) {
	// 20 at 50 % wants 40; then nothing for 30 s, whatever comes.
	expect(t, []int{40, 40, 20, 20, 20}, answers(peers.NewNomad(0.5), interval, 10, 20, 10, 10, 10, 10.05))
}

func TestNomadStaysWithinItsBounds(t *testing.T) {
	expect(t, []int{200}, answers(peers.NewNomad(0.1), interval, 50, 100))
	expect(t, []int{1}, answers(peers.NewNomad(0.9), interval, 50, 0))
}

func TestAWSScalesOutAfterThreeMinutesAndInAfterFifteen(t *testing.T) {
	a := &peers.AWS{Target: 0.5}
	usage := append(times(4, 8), times(16, 4)...)
	got := answers(a, time.Minute, 10, usage...)
	// High at minutes 0, 1 and 2; low from minute 4 on, fifteen times.
	want := []int{10, 10, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 8, 8}
	expect(t, want, got)
}

func TestAWSDoesNotCountWhatWarmsUp(t *testing.T) {
	// 8 ÷ 10 is above the target until the six new instances are warm, five
	// minutes later; nothing more is launched, since 16 are what is needed.
	expect(t, []int{10, 10, 16, 16, 16, 20}, answers(&peers.AWS{Target: 0.5}, time.Minute, 10, 8, 8, 8, 8, 8, 10))
}

func TestAWSInNineTenthsOfItsTargetIsLeftAlone(t *testing.T) {
	for _, n := range answers(&peers.AWS{Target: 0.5}, time.Minute, 10, times(40, 4.6)...) {
		if n != 10 {
			t.Fatalf("%d instances", n)
		}
	}
}

func TestOneStepTakesOneStepACooldown(t *testing.T) {
	o := &peers.OneStep{Target: 0.5}
	expect(t, []int{11, 11, 11, 11, 12}, answers(o, interval, 10, 20, 20, 20, 20, 20))
	o = &peers.OneStep{Target: 0.5}
	expect(t, []int{9, 9, 9, 9, 8}, answers(o, interval, 10, 1, 1, 1, 1, 1))
	// Nine would be at 51 %.
	o = &peers.OneStep{Target: 0.5}
	expect(t, []int{10}, answers(o, interval, 10, 4.6))
}

func TestOpenFaaSAddsAFifthOfItsMaximumAndGoesBackToOne(t *testing.T) {
	o := peers.OpenFaaS{Threshold: 5}
	expect(t, []int{41, 81, 121, 161, 200, 200, 1}, answers(o, interval, 1, 6, 6, 6, 6, 6, 6, 5))
}

func TestLinearExtendsTheLine(t *testing.T) {
	// Usage grows by one a control, four controls ahead.
	l := &peers.Linear{Target: 1, Ahead: 4 * interval}
	expect(t, []int{10, 15, 16, 17}, answers(l, interval, 10, 10, 11, 12, 13))
}

func TestLinearHoldsTheHighestAnswerForFiveMinutes(t *testing.T) {
	l := &peers.Linear{Target: 0.5, Ahead: 0}
	got := answers(l, interval, 10, append([]float64{10}, times(21, 4)...)...)
	// Predicted for now, falling usage lies below its line at most.
	if got[19] != 20 {
		t.Errorf("%d replicas after 285 s", got[19])
	}
	if got[20] >= 20 {
		t.Errorf("%d replicas after 300 s", got[20])
	}
}

func TestHPADoublesAndHoldsForFiveMinutes(t *testing.T) {
	h := peers.NewHPA(0.5)
	usage := append([]float64{5.4, 40, 40, 40}, times(22, 5)...)
	got := answers(h, interval, 10, usage...)
	expect(t, []int{10, 20, 40, 80}, got[:4])
	// The last high proposal was made at 45 s.
	if got[22] != 80 || got[23] != 10 {
		t.Errorf("%d replicas at 330 s and %d at 345 s, want 80 and 10", got[22], got[23])
	}
}
