package budget

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestOnlyWhoMayScaleDownCountsForTheFleet: policies that never go down are
// neither part of the fleet nor of those who want it.
func TestOnlyWhoMayScaleDownCountsForTheFleet(t *testing.T) {
	t0 := time.Unix(1_000_000, 0)
	members := map[string]Member{}
	for name, mode := range map[string]policy.Mode{
		"a": policy.ModeOn, "b": policy.ModeOn, "c": policy.ModeOn,
		"d": policy.ModeOff, "e": policy.ModeOnlyScaleUp,
	} {
		members[name] = Member{Rules: &policy.Policy{Mode: mode}, History: &policy.History{DownSince: t0}}
	}
	var f fleet
	f.configure(0.3, members)
	if hold := f.hold(t0, t0.Add(fleetWindow)); hold == nil || hold.Wanting != 3 || hold.Policies != 3 {
		t.Fatalf("three that act and two that do not: %+v, want 3 of 3", hold)
	}
	members["c"] = Member{Rules: &policy.Policy{Mode: policy.ModeOff}, History: &policy.History{DownSince: t0}}
	members["f"] = Member{Rules: &policy.Policy{Mode: policy.ModeOn}, History: &policy.History{}}
	f.configure(0.3, members)
	if hold := f.hold(t0, t0.Add(fleetWindow)); hold != nil {
		t.Errorf("two that act, after the third was switched off: %+v, want no hold", hold)
	}
}

// TestAHoldLastsAsLongAsItSaid whatever the others want by then, unless the
// guard is switched off.
func TestAHoldLastsAsLongAsItSaid(t *testing.T) {
	t0 := time.Unix(1_000_000, 0)
	held := &policy.FleetHold{Until: t0.Add(fleetPause), Wanting: 4, Policies: 5}
	h := &policy.History{DownSince: t0, FleetHold: held}
	f := fleet{share: 0.3, size: 5}
	if got := f.holdOf(h, t0.Add(fleetPause-time.Second)); got == nil || *got != *held {
		t.Errorf("just before: %+v, want %+v", got, held)
	}
	if got := f.holdOf(h, t0.Add(fleetPause)); got != nil {
		t.Errorf("when it is over: %+v", got)
	}
	f.share = 1
	if got := f.holdOf(h, t0.Add(fleetPause-time.Second)); got != nil {
		t.Errorf("without a guard: %+v", got)
	}
}

// TestTheShareItselfIsNotTooMuch: more than the share is.
func TestTheShareItselfIsNotTooMuch(t *testing.T) {
	t0 := time.Unix(1_000_000, 0)
	f := fleet{share: 0.5, size: 6, begun: map[int64]int{t0.Unix(): 2, t0.Unix() - 59: 1, t0.Unix() - 60: 9}, since: map[string]int64{}}
	if got := f.hold(t0, t0.Add(fleetWindow)); got != nil {
		t.Errorf("three of six within a minute: %+v, want no hold", got)
	}
	f.begun[t0.Unix()+59] = 2
	if got := f.hold(t0, t0.Add(fleetWindow)); got == nil || got.Wanting != 4 {
		t.Errorf("four of six within a minute: %+v", got)
	}
}
