package scaler

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestOnlyWhoMayScaleDownCountsForTheFleet: policies that never go down are
// neither part of the fleet nor of those who want it.
func TestOnlyWhoMayScaleDownCountsForTheFleet(t *testing.T) {
	t0 := time.Unix(1_000_000, 0)
	wants := func() *unit {
		u := &unit{}
		u.view.Store(&view{history: policy.History{DownSince: t0}})
		return u
	}
	units, setups := map[string]*unit{}, map[string]*setup{}
	for name, mode := range map[string]policy.Mode{
		"a": policy.ModeOn, "b": policy.ModeOn, "c": policy.ModeOn,
		"d": policy.ModeOff, "e": policy.ModeOnlyScaleUp,
	} {
		units[name], setups[name] = wants(), &setup{rules: policy.Policy{Mode: mode}}
	}
	var f fleet
	f.configure(0.3, units, setups)
	if hold := f.hold(t0, t0.Add(fleetWindow)); hold == nil || hold.Wanting != 3 || hold.Policies != 3 {
		t.Fatalf("three that act and two that do not: %+v, want 3 of 3", hold)
	}
	setups["c"] = &setup{rules: policy.Policy{Mode: policy.ModeOff}}
	setups["f"], units["f"] = &setup{rules: policy.Policy{Mode: policy.ModeOn}}, &unit{}
	units["f"].view.Store(&view{})
	f.configure(0.3, units, setups)
	if hold := f.hold(t0, t0.Add(fleetWindow)); hold != nil {
		t.Errorf("two that act, after the third was switched off: %+v, want no hold", hold)
	}
}
