package budget

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// What on_missing may ask for without an alert is within the budgets too.
func TestCanRiseWithoutAnAlert(t *testing.T) {
	o := &policy.Observation{Targets: []policy.TargetState{{Name: "t", Requested: 4}}}
	for behavior, want := range map[policy.MissingBehavior]bool{
		policy.MissingHold: false, policy.MissingAlertStep: false,
		policy.MissingStatic: true, policy.MissingCurrentIfHigher: true,
	} {
		p := &policy.Policy{Min: 1, Max: 10, OnMissing: policy.OnMissing{Behavior: behavior}, Targets: []policy.Target{{Name: "t"}}}
		if got := canRise(p, o); got != want {
			t.Errorf("%s: %t, want %t", behavior, got, want)
		}
	}
}

// TestOneTurnAtATime: while one policy decides nobody else does, and who is
// woken waits for nobody.
func TestOneTurnAtATime(t *testing.T) {
	s := newShop()
	turn := s.pool.Turn(s.members["web"].Rules)
	s.wake("batch")
	decided := make(chan bool)
	go func() {
		defer s.pool.Turn(s.members["batch"].Rules).End()
		close(decided)
	}()
	select {
	case <-decided:
		t.Error("two decide at a time")
	case <-time.After(50 * time.Millisecond):
	}
	turn.End()
	select {
	case <-decided:
	case <-time.After(time.Minute):
		t.Error("nobody decides")
	}
}

// TestTheFleetIsHeldByItsMembers: what they decide is what the fleet knows.
func TestTheFleetIsHeldByItsMembers(t *testing.T) {
	t0 := time.Unix(1_000_000, 0)
	s := newShop()
	s.member("mail", 0, 8)
	s.pool.Configure(nil, 0.5, s.members)
	wants := func(name string, since time.Time) {
		s.members[name].History.DownSince = since
		s.decide(name, policy.Decision{Current: 8, Desired: 8})
	}
	hold := func(name string) *policy.FleetHold {
		turn := s.pool.Turn(s.members[name].Rules)
		defer turn.End()
		return turn.FleetHold(s.members[name].History, t0.Add(fleetWindow+time.Second))
	}
	for _, name := range []string{"web", "batch", "mail"} {
		wants(name, t0)
	}
	if h := hold("web"); h == nil || h.Wanting != 3 {
		t.Errorf("all three at once: %+v", h)
	}
	wants("mail", time.Time{})
	if h := hold("web"); h != nil {
		t.Errorf("two of three: %+v", h)
	}
}
