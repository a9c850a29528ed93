package budget

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestWhatAPolicyHoldsBeforeItsFirstDecision: after a restart what is under way
// and what was lacking count as they did before.
func TestWhatAPolicyHoldsBeforeItsFirstDecision(t *testing.T) {
	price := 0.5
	p := &policy.Policy{Name: "web", Min: 1, Max: 20, Targets: []policy.Target{{Name: "own", CostPerHour: &price}, {Name: "burst"}}}
	four, two := 4, 2
	known := policy.History{
		Targets: []policy.TargetMemory{{Name: "own", Requested: &four}, {Name: "burst", Requested: &two}},
		Cuts:    []policy.Cut{{Budget: "shop", Replicas: 3}, {Budget: "other", Replicas: 9}, {Budget: "shop", CostPerHour: 1}},
	}
	for _, test := range []struct {
		name   string
		member Member
		want   Holding
	}{
		{"nothing is known", Member{History: &policy.History{}}, Holding{Replicas: 20, CostPerHour: 10}},
		{"counts and cuts", Member{History: &known}, Holding{Replicas: 6, CostPerHour: 2, Wants: 3, WantsCostPerHour: 1}},
		{
			"more under way on one target, fewer on the other",
			Member{History: &known, Asked: map[string]int{"own": 7, "burst": 1}},
			Holding{Replicas: 9, CostPerHour: 3.5, Wants: 3, WantsCostPerHour: 1},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.member.Rules = p
			test.want.Policy, test.want.Min, test.want.Max = "web", 1, 20
			if diff := cmp.Diff(test.want, holdingOf(&test.member, "shop")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// shop are policies that share 20 replicas, web before batch.
type shop struct {
	pool    Pool
	members map[string]Member
	// woken are those that an alert wants more of.
	woken map[string]bool
}

func newShop() *shop {
	s := &shop{members: make(map[string]Member), woken: make(map[string]bool)}
	s.member("web", 10, 8)
	s.member("batch", 0, 8)
	s.configure("web", "batch")
	return s
}

func (s *shop) member(name string, priority, has int) {
	p := &policy.Policy{Name: name, Priority: priority, Min: 1, Max: 20, Mode: policy.ModeOn, Targets: []policy.Target{{Name: "t"}}}
	h := &policy.History{Targets: []policy.TargetMemory{{Name: "t", Requested: &has}}}
	s.members[name] = Member{Rules: p, History: h, Undecided: func() bool { return s.woken[name] }}
}

func (s *shop) configure(members ...string) {
	s.pool.Configure([]Rule{{Budget: policy.Budget{Name: "shop", MaxReplicas: 20}, Members: members}}, 1, s.members)
}

func (s *shop) wake(name string) {
	s.woken[name] = true
	s.pool.Woken(name)
}

// rises is what a policy sees that wants more than the replicas it has.
func rises(has int) *policy.Observation {
	return &policy.Observation{Up: 1, Targets: []policy.TargetState{{Name: "t", Requested: has, Ready: has}}}
}

// room is what the policy may have.
func (s *shop) room(t *testing.T, name string, has int) policy.Room {
	t.Helper()
	turn := s.pool.Turn(s.members[name].Rules)
	defer turn.End()
	rooms := turn.Rooms(rises(has))
	if len(rooms) != 1 {
		t.Fatalf("%s has %d rooms", name, len(rooms))
	}
	return rooms[0]
}

// decide has the policy decide that.
func (s *shop) decide(name string, d policy.Decision) (lacking []string) {
	turn := s.pool.Turn(s.members[name].Rules)
	defer turn.End()
	first := s.woken[name]
	delete(s.woken, name)
	return turn.Decided(s.members[name].History, rises(d.Current), &d, first)
}

func (s *shop) part(t *testing.T, name string) Part {
	t.Helper()
	parts := s.pool.Parts(name)
	if len(parts) != 1 {
		t.Fatalf("%s has %d parts", name, len(parts))
	}
	return parts[0]
}

// TestWhoIsWokenIsWaitedFor: what it wants is kept for it until it has decided,
// and then those who waited are named.
func TestWhoIsWokenIsWaitedFor(t *testing.T) {
	s := newShop()
	if r := s.room(t, "batch", 8); *r.Replicas != 12 {
		t.Fatalf("before anybody is woken batch may have %d, want the 12 that web leaves", *r.Replicas)
	}
	s.wake("web")
	s.wake("batch")
	if r := s.room(t, "batch", 8); *r.Replicas != 1 || !slices.Equal(r.Rivals, []string{"web"}) {
		t.Errorf("batch may have %d because of %v, want its minimum because of web", *r.Replicas, r.Rivals)
	}
	if r := s.room(t, "web", 8); *r.Replicas != 12 || len(r.Victims) > 0 {
		t.Errorf("web may have %d at the expense of %v, want 12 of nobody, who has decided nothing", *r.Replicas, r.Victims)
	}
	if lacking := s.decide("batch", policy.Decision{Current: 8, Desired: 8, Cuts: []policy.Cut{{Budget: "shop", Replicas: 4}}}); len(lacking) > 0 {
		t.Errorf("%v may have more by what batch has decided", lacking)
	}
	if lacking := s.decide("web", policy.Decision{Current: 8, Desired: 10, Act: true}); !slices.Equal(lacking, []string{"batch"}) {
		t.Errorf("%v may have more by what web has decided, want batch", lacking)
	}
	if r := s.room(t, "batch", 8); *r.Replicas != 10 {
		t.Errorf("batch may have %d, want 10", *r.Replicas)
	}
	if lacking := s.decide("web", policy.Decision{Current: 10, Desired: 2, Act: true}); len(lacking) > 0 {
		t.Errorf("%v are woken by a decision that nobody has waited for", lacking)
	}
}

// TestWhoIsWokenAndWantsNothing: an alert that is over by then keeps nothing
// from anybody, nor does who decides in shadow.
func TestWhoIsWokenAndWantsNothing(t *testing.T) {
	s := newShop()
	s.wake("web")
	s.woken["web"] = false
	if r := s.room(t, "batch", 8); *r.Replicas != 12 {
		t.Errorf("batch may have %d, want 12", *r.Replicas)
	}
	s.members["web"].Rules.Mode = policy.ModeOff
	s.configure("web", "batch")
	s.wake("web")
	if r := s.room(t, "batch", 8); *r.Replicas != 12 {
		t.Errorf("batch may have %d beside a shadow, want 12", *r.Replicas)
	}
	s.decide("web", policy.Decision{Mode: policy.ModeOff, Current: 8, Desired: 8, Cuts: []policy.Cut{{Budget: "shop", Replicas: 4}}})
	if p := s.part(t, "web"); p.Holding.Wants != 0 {
		t.Errorf("a shadow lacks %d", p.Holding.Wants)
	}
}

// TestAReloadKeepsWhatIsKnown: what a policy holds, and who was woken.
func TestAReloadKeepsWhatIsKnown(t *testing.T) {
	s := newShop()
	s.decide("web", policy.Decision{Current: 3, Desired: 3})
	s.wake("web")
	s.wake("gone")
	s.member("mail", 5, 2)
	s.configure("mail", "web", "batch")
	if p := s.part(t, "web"); p.Holding.Replicas != 3 {
		t.Errorf("web holds %d, want the 3 of its last decision", p.Holding.Replicas)
	}
	if p := s.part(t, "mail"); p.Holding.Replicas != 2 || p.Replicas != 13 {
		t.Errorf("mail holds %d of %d, want 2 of 13", p.Holding.Replicas, p.Replicas)
	}
	if r := s.room(t, "batch", 8); *r.Replicas != 1 || !slices.Equal(r.Rivals, []string{"web"}) {
		t.Errorf("batch may have %d because of %v, want its minimum because of web", *r.Replicas, r.Rivals)
	}
	s.configure("batch")
	if parts := s.pool.Parts("web"); len(parts) > 0 {
		t.Errorf("web still has %v", parts)
	}
	if sums := s.pool.Sums(); len(sums) != 1 || sums[0].Replicas != 8 || sums[0].MaxReplicas != 20 {
		t.Errorf("all hold %+v", sums)
	}
}

// TestWhatWasRefusedIsNotHeld: the room that a decision took is free again
// once the targets have refused it.
func TestWhatWasRefusedIsNotHeld(t *testing.T) {
	s := newShop()
	s.decide("web", policy.Decision{Current: 8, Desired: 12, Act: true})
	if p := s.part(t, "web"); p.Holding.Replicas != 12 {
		t.Fatalf("holds %d, want 12 while they are asked for", p.Holding.Replicas)
	}
	s.pool.Refused(s.members["web"].Rules, rises(8), &policy.Decision{Current: 8, Desired: 9, Act: true})
	if p := s.part(t, "web"); p.Holding.Replicas != 9 {
		t.Errorf("holds %d, want 9", p.Holding.Replicas)
	}
}

// TestWhatCannotBeReadIsHeldAsBefore: of an unreadable target nobody knows what
// it has.
func TestWhatCannotBeReadIsHeldAsBefore(t *testing.T) {
	s := newShop()
	o := rises(0)
	o.Targets[0].Error = "connection refused"
	s.pool.Refused(s.members["web"].Rules, o, &policy.Decision{})
	if p := s.part(t, "web"); p.Holding.Replicas != 8 {
		t.Errorf("holds %d, want 8", p.Holding.Replicas)
	}
}

// TestRivalsAreNamedWhereSomethingIsLacking and nowhere else.
func TestRivalsAreNamedWhereSomethingIsLacking(t *testing.T) {
	s := newShop()
	if p := s.part(t, "batch"); len(p.Room.Rivals) > 0 {
		t.Errorf("%v are rivals of who lacks nothing", p.Room.Rivals)
	}
	s.decide("batch", policy.Decision{Current: 8, Desired: 8, Cuts: []policy.Cut{{Budget: "shop", Replicas: 2}}})
	if p := s.part(t, "batch"); !slices.Equal(p.Room.Rivals, []string{"web"}) || p.Holding.Wants != 2 {
		t.Errorf("batch: %+v", p)
	}
}
