package victims

import (
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestRank(t *testing.T) {
	above := func(x float64) *config.Victims { return &config.Victims{ProtectAbove: &x} }
	pods := func(names ...string) target.Replicas {
		var r target.Replicas
		for _, n := range names {
			name, starting := strings.CutPrefix(n, "?")
			r.List = append(r.List, target.Replica{ID: "id-" + name, Name: name, Ready: !starting, Address: "10.0.0." + name})
		}
		return r
	}
	fixed := func(r target.Replicas) target.Replicas { r.Fixed = true; return r }
	unreadyFirst := func(r target.Replicas) target.Replicas { r.UnreadyFirst = true; return r }
	type loads = map[string]float64
	for _, tc := range []struct {
		name      string
		replicas  target.Replicas
		requested int
		victims   *config.Victims
		loads     loads
		draining  string
		order     string
		protected int
		why       string
	}{
		{name: "the least busy first", replicas: pods("1", "2", "3"), victims: &config.Victims{}, loads: loads{"1": 3, "2": 1, "3": 2}, order: "2 3 1"},
		{name: "equals go as the platform would", replicas: pods("1", "2", "3"), victims: &config.Victims{}, loads: loads{"1": 1, "2": 1, "3": 1}, order: "1 2 3"},
		{name: "by ID", replicas: pods("1", "2"), victims: &config.Victims{}, loads: loads{"id-1": 2, "id-2": 1}, order: "2 1"},
		{name: "by address, whatever the port", replicas: pods("1", "2"), victims: &config.Victims{}, loads: loads{"10.0.0.1:80": 2, "10.0.0.2:80": 1}, order: "2 1"},
		{name: "two ports of one address tell nothing", replicas: pods("1", "2"), victims: &config.Victims{}, loads: loads{"10.0.0.1:80": 2, "10.0.0.1:81": 1, "10.0.0.2:80": 1}, order: "2", protected: 1, why: "nobody knows the load of 1"},
		{name: "unknown is not idle", replicas: pods("1", "2", "3"), victims: &config.Victims{}, loads: loads{"1": 3, "3": 2}, order: "3 1", protected: 1, why: "nobody knows the load of 1"},
		{name: "no answer protects all", replicas: pods("1", "2"), victims: &config.Victims{}, protected: 2, why: "nobody knows the load of 2"},
		{name: "what starts and carries nothing goes first", replicas: pods("1", "?2", "3"), victims: &config.Victims{}, loads: loads{"1": 0, "3": 0}, order: "2 1 3"},
		{name: "what is not ready may be busy", replicas: pods("1", "?2"), victims: above(0), loads: loads{"1": 0, "2": 5}, order: "1", protected: 1, why: "1 have a load above 0"},
		{name: "busy ones stay", replicas: pods("1", "2", "3"), victims: above(4), loads: loads{"1": 5, "2": 4, "3": 9}, order: "2", protected: 2, why: "2 have a load above 4"},
		{name: "what nobody made yet goes before all", replicas: pods("1", "2"), requested: 5, victims: above(0), loads: loads{"1": 1, "2": 1}, protected: 2, why: "2 have a load above 0"},
		{name: "what the platform keeps is no surplus", replicas: kept(pods("1", "2"), 2), requested: 5, victims: &config.Victims{}, loads: loads{"1": 2, "2": 1}, order: "2 1", protected: 2, why: "the platform keeps 2"},
		{name: "what drains goes on draining", replicas: pods("1", "2", "3"), victims: &config.Victims{}, loads: loads{"1": 1, "2": 3, "3": 2}, draining: "2", order: "2 1 3"},
		{name: "more than requested, as in a rollout: every busy one counts", replicas: pods("1", "2", "3", "4"), requested: 3, victims: above(0), loads: loads{"1": 1, "2": 0, "3": 1, "4": 0}, order: "2 4", protected: 2, why: "2 have a load above 0"},
		{name: "more than requested, and some that the platform keeps", replicas: kept(pods("1", "2"), 2), requested: 3, victims: above(0), loads: loads{"1": 1, "2": 0}, order: "2", protected: 3, why: "1 have a load above 0, and the platform keeps 2"},
		{name: "without a query as the platform would", replicas: pods("1", "2", "3"), order: "1 2 3"},
		{name: "a fixed order", replicas: fixed(pods("3", "2", "1")), victims: &config.Victims{}, loads: loads{"1": 1, "2": 2, "3": 3}, order: "3 2 1"},
		{name: "a fixed order ends at the first that stays", replicas: fixed(pods("3", "2", "1")), victims: above(1), loads: loads{"1": 0, "2": 5, "3": 0}, order: "3", protected: 2, why: "1 have a load above 1, and the platform would let them go before others"},
		{name: "those that are not ready would go first", replicas: unreadyFirst(pods("1", "?2", "3")), victims: above(0), loads: loads{"1": 0, "2": 1, "3": 0}, protected: 3, why: "1 have a load above 0, and the platform would let them go before others"},
		{name: "those that are not ready do go first", replicas: unreadyFirst(pods("1", "?2", "3")), victims: &config.Victims{}, loads: loads{"1": 0, "2": 7, "3": 1}, draining: "3", order: "2 3 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requested := tc.requested
			if requested == 0 {
				requested = len(tc.replicas.List)
			}
			c := rank(tc.replicas, requested, tc.victims, tc.loads, func(id string) bool { return id == "id-"+tc.draining })
			var order []string
			for _, r := range c.order {
				order = append(order, r.Name)
			}
			if got := strings.Join(order, " "); got != tc.order || c.protected != tc.protected || c.why != tc.why {
				t.Errorf("order %q, %d protected (%s); want %q, %d (%s)", got, c.protected, c.why, tc.order, tc.protected, tc.why)
			}
			if c.protected+len(c.order)+c.unmade < requested {
				t.Errorf("%d protected, %d may go and %d are not made, of %d", c.protected, len(c.order), c.unmade, requested)
			}
		})
	}
}

// kept has the platform keep some more.
func kept(r target.Replicas, n int) target.Replicas {
	r.Kept = n
	return r
}

// TestWhoIsAskedWhichMayGo: only a decision that may be for fewer replicas needs
// to know it.
func TestWhoIsAskedWhichMayGo(t *testing.T) {
	for _, test := range []struct {
		name string
		p    policy.Policy
		o    policy.Observation
		want bool
	}{
		{"nothing fires", policy.Policy{Max: 5}, policy.Observation{Targets: []policy.TargetState{{Requested: 3}}}, false},
		{"an alert for more", policy.Policy{Max: 5}, policy.Observation{Up: 1, Down: 1, Targets: []policy.TargetState{{Requested: 3}}}, false},
		{"an alert for fewer", policy.Policy{Max: 5}, policy.Observation{Down: 1, Targets: []policy.TargetState{{Requested: 3}}}, true},
		{"too many", policy.Policy{Max: 5}, policy.Observation{Targets: []policy.TargetState{{Requested: 3}, {Requested: 3}}}, true},
		{"some are not coming", policy.Policy{Max: 5}, policy.Observation{Up: 1, Targets: []policy.TargetState{{Requested: 3, Stuck: 1}}}, true},
		{"missing usage may lower it", policy.Policy{Max: 5, OnMissing: policy.OnMissing{Behavior: policy.MissingStatic}}, policy.Observation{Targets: []policy.TargetState{{Requested: 3}}}, true},
		{"missing usage only holds it", policy.Policy{Max: 5, OnMissing: policy.OnMissing{Behavior: policy.MissingHold}}, policy.Observation{Targets: []policy.TargetState{{Requested: 3}}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := canFall(&test.p, &test.o); got != test.want {
				t.Errorf("%t, want %t", got, test.want)
			}
		})
	}
}
