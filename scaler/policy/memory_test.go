package policy_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

func TestWhatIsKnownOfATarget(t *testing.T) {
	var h policy.History
	h.Stands("own", policy.Standing{}) // nothing new
	h.CameToNothing("own", 3)
	if len(h.Targets) > 0 {
		t.Fatalf("remembers %+v of nothing", h.Targets)
	}
	h.Found("own", 3, 2)
	h.Found("burst", 0, 0)
	if m := h.Of("burst"); m.Requested == nil || *m.Requested != 0 {
		t.Errorf("none are not known to be none: %+v", m)
	}
	h.Accepted("own", 3, 5)
	h.Stands("own", policy.Standing{At: now, Max: 9})
	h.Provisioned("own", 10*time.Second, 20*time.Second)
	h.Counted("own", 2, 1, now)
	h.CameToNothing("own", 4) // is not what was asked for last
	three := 3
	want := policy.TargetMemory{
		Name: "own", Requested: &three, Ready: 2, Asked: &policy.Asked{From: 3, To: 5}, Stands: policy.Standing{At: now, Max: 9},
		Provisioning: 17 * time.Second, Losses: []policy.LossHour{{Hour: now.Unix() / 3600, Requested: 2, Lost: 1}},
	}
	if diff := cmp.Diff(want, h.Of("own")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	c := h.Clone()
	h.CameToNothing("own", 5)
	if m := h.Of("own"); m.Asked != nil {
		t.Errorf("still asked for %+v", m.Asked)
	}
	h.Forget("own")
	want.Requested, want.Ready, want.Asked, want.Stands = nil, 0, nil, policy.Standing{}
	if diff := cmp.Diff(want, h.Of("own")); diff != "" {
		t.Errorf("forgotten (-want +got)\n%s", diff)
	}
	h.Found("burst", 7, 7)
	if m := c.Of("own"); m.Asked == nil || *m.Requested != 3 || *c.Of("burst").Requested != 0 {
		t.Errorf("the clone has become %+v", c.Targets)
	}
}

func TestWhatIsRememberedOfLearning(t *testing.T) {
	var h policy.History
	h.Unlearn("cpu")
	for want := 1; want <= 3; want++ {
		if got := h.Learnt("cpu", objective.Sample{At: now}); got != want {
			t.Errorf("%d samples, want %d", got, want)
		}
	}
	c := h.Clone()
	h.Unlearn("cpu")
	h.TakenAway = now
	h.MadeUp()
	if !reflect.DeepEqual(h.Learning, map[string][]objective.Sample{}) || !h.TakenAway.IsZero() || len(c.Learning["cpu"]) != 3 {
		t.Errorf("left %+v since %s, the clone has %d", h.Learning, h.TakenAway, len(c.Learning["cpu"]))
	}
}

// TestTheFleetsHoldEndsWithTheWish for fewer replicas.
func TestTheFleetsHoldEndsWithTheWish(t *testing.T) {
	var h policy.History
	h.Observe(policy.Policy{}, policy.Decision{Time: now, WantsDown: true})
	h.HeldByFleet(&policy.FleetHold{Until: now.Add(time.Minute), Wanting: 3})
	h.Observe(policy.Policy{}, policy.Decision{Time: now.Add(time.Second), WantsDown: true})
	if h.FleetHold == nil || !h.DownSince.Equal(now) {
		t.Errorf("held by %+v since %s, while the wish goes on", h.FleetHold, h.DownSince)
	}
	h.Observe(policy.Policy{}, policy.Decision{Time: now.Add(2 * time.Second)})
	if h.FleetHold != nil || !h.DownSince.IsZero() {
		t.Errorf("held by %+v since %s, after the wish", h.FleetHold, h.DownSince)
	}
}
