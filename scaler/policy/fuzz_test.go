package policy_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// FuzzDecide lets the fuzzer choose the policy, what it sees and what it
// remembers. Whatever it finds, a decision comes out that can be written, read
// and explained, and that stays within what the properties say.
func FuzzDecide(f *testing.F) {
	for _, seed := range [][]byte{nil, {0}, {1, 2, 3, 4, 5, 6, 7, 8}, make([]byte, 4096), []byte("web 6 → 9: cpu needs 8.4 of 2-core replicas")} {
		f.Add(seed)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		s := scenes().Draw(t, "scene")
		if rapid.Bool().Draw(t, "hostile") {
			for i := range s.sees.Usage {
				s.sees.Usage[i].Value = hostile().Draw(t, "value")
				s.sees.Usage[i].CapacityPerReplica = hostile().Draw(t, "capacity")
				s.sees.Usage[i].Predicted = hostile().Draw(t, "predicted")
			}
		}
		d := s.decide()
		if d.Explain() == "" {
			t.Fatal("nothing is explained")
		}
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var read policy.Decision
		if err := json.Unmarshal(b, &read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, read); diff != "" {
			t.Fatalf("written and read again (-want +got):\n%s", diff)
		}
		lowest, highest := s.policy.Bounds(s.sees.Targets)
		if d.Act && d.Desired > max(highest, d.Current) {
			t.Fatalf("%s exceeds %d", d.Explain(), highest)
		}
		if d.Act && d.Desired < min(lowest, d.Current) {
			t.Fatalf("%s falls below %d", d.Explain(), lowest)
		}
		s.history.Observe(s.policy, d)
		if _, err := json.Marshal(s.history); err != nil {
			t.Fatal(err)
		}
	}))
}
