package policy_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// TestBackoffsOfOneDirectionEach: what earlier versions wrote for both is read.
func TestBackoffsOfOneDirectionEach(t *testing.T) {
	until := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	refused := policy.Backoff{Until: until, Failures: 2}
	late := policy.Backoff{Until: until, Failures: 1, NotConverged: true, GivenUp: "quota", TakeBackAt: until}
	four := 4
	asked := policy.Backoff{Until: until, Failures: 1, Wanted: &four}
	for _, test := range []struct {
		name, text string
		want       policy.Backoffs
	}{
		{"refused, as written before", `{"until":"2026-01-05T08:00:00Z","failures":2}`, policy.Backoffs{Up: refused, Down: refused}},
		{"never ready, as written before", `{"until":"2026-01-05T08:00:00Z","failures":1,"not_converged":true,"given_up":"quota","take_back_at":"2026-01-05T08:00:00Z"}`, policy.Backoffs{Up: late}},
		{"one direction", `{"down":{"until":"2026-01-05T08:00:00Z","failures":1,"wanted":4}}`, policy.Backoffs{Down: asked}},
		{"both", `{"up":{"until":"2026-01-05T08:00:00Z","failures":2},"down":{"until":"2026-01-05T08:00:00Z","failures":1,"wanted":4}}`, policy.Backoffs{Up: refused, Down: asked}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got policy.Backoffs
			if err := json.Unmarshal([]byte(test.text), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			b, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var again policy.Backoffs
			if err := json.Unmarshal(b, &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, again); diff != "" {
				t.Errorf("written as %s (-want +got)\n%s", b, diff)
			}
		})
	}
}

func TestFulfilled(t *testing.T) {
	six := 6
	b := policy.Backoff{Until: time.Unix(1, 0), Wanted: &six}
	for _, test := range []struct {
		direction        policy.Direction
		requested, ready int
		want             bool
	}{
		{policy.Up, 6, 6, true},
		{policy.Up, 7, 6, true},
		{policy.Up, 6, 5, false},
		{policy.Up, 5, 6, false},
		{policy.Down, 6, 6, true},
		{policy.Down, 5, 4, true},
		{policy.Down, 6, 7, false},
		{policy.Down, 7, 6, false},
	} {
		if got := b.Fulfilled(test.direction, test.requested, test.ready); got != test.want {
			t.Errorf("%s with %d of %d ready: %t", test.direction, test.ready, test.requested, got)
		}
	}
	if unknown := (policy.Backoff{Until: time.Unix(1, 0)}); unknown.Fulfilled(policy.Up, 6, 6) {
		t.Error("what nobody knows of is fulfilled")
	}
}

// TestAnotherConfigurationAsksAgain: what the one before has led to ends, and
// that is said where it kept the policy from something.
func TestAnotherConfigurationAsksAgain(t *testing.T) {
	var h policy.History
	if h.Configured("a", now) {
		t.Error("the first configuration ends something")
	}
	h.SetBackoff("own", policy.Up, policy.Backoff{Until: now.Add(time.Minute)})
	if h.Configured("a", now) || !h.Held(now) {
		t.Error("the same configuration ends something")
	}
	if !h.Configured("b", now) || h.Held(now) || len(h.Backoffs) > 0 {
		t.Error("another configuration does not end the backoff")
	}
	h.SetBackoff("own", policy.Up, policy.Backoff{Until: now})
	if h.Configured("c", now) || len(h.Backoffs) > 0 {
		t.Error("a backoff that is over stays, or is said to have held something")
	}
	h.SetBackoff("own", policy.Up, policy.Backoff{Until: now.Add(time.Minute)})
	h.Config = "" // written before configurations were told apart
	if h.Configured("d", now) || !h.Held(now) {
		t.Error("a configuration that is not known ends something")
	}
}
