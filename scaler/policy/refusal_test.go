package policy_test

import (
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestRefusalsSayWhoTookWhat also where those who were asked instead refuse in
// their turn, in either direction.
func TestRefusalsSayWhoTookWhat(t *testing.T) {
	for _, sign := range []int{1, -1} {
		d := policy.Decision{Policy: "web", Current: 5, Desired: 5 + 4*sign, Placements: []policy.Placement{
			{Target: "a", From: 5, To: 5 + 4*sign}, {Target: "b", From: 5, To: 5}, {Target: "c", From: 5, To: 5},
		}}
		d.Refused([]policy.Refusal{{Target: "a", Replicas: 4 * sign, Kind: "quota"}},
			[]policy.Placement{{Target: "b", From: 5, To: 5 + 3*sign}, {Target: "c", From: 5, To: 5 + sign}}, 4*sign)
		if want := "a refused 4 (quota), of which others took 4"; !strings.Contains(d.Explain(), want) {
			t.Errorf("%q is not in %q", want, d.Explain())
		}
		d.Refused([]policy.Refusal{{Target: "b", Replicas: 3 * sign, Kind: "permanent"}},
			[]policy.Placement{{Target: "c", From: 5 + sign, To: 5 + 3*sign}}, 3*sign)
		if want := "a refused 4 (quota), of which others took 1; b refused 3 (permanent), of which others took 2"; !strings.Contains(d.Explain(), want) {
			t.Errorf("%q is not in %q", want, d.Explain())
		}
		if want := 5 + 3*sign; d.Desired != want {
			t.Errorf("desired %d, want %d", d.Desired, want)
		}
	}
}
