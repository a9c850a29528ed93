package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target/aws/awstest"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
	"github.com/alertscaler/alertscaler/scaler/target/install"
)

// TestThreeGroups is one policy over an on-demand group, a spot group and a
// group of another cloud, while its strategy changes and capacity runs out.
//
// Spot is the cheapest and the slowest, Google is neither cheap nor slow, and
// on-demand is what is left.
func TestThreeGroups(t *testing.T) {
	t.Parallel()
	amazon, conn := startAWS(t)
	amazon.AddGroup(awstest.Group{Name: "on-demand", Max: 20, Boot: 200 * time.Millisecond})
	// Of spot instances there are four, and AWS goes on trying for more.
	amazon.AddGroup(awstest.Group{Name: "spot", Max: 20, Boot: 8 * time.Second, Room: 4, Retry: time.Second})
	google, where := startGoogle(t)
	google.Create(gcptest.Group{Project: "shop", Zone: "europe-west1-b", Name: "web", Boot: 300 * time.Millisecond, Quota: 4})

	configured := func(strategy policy.Strategy, most, spotMost int) string {
		return fmt.Sprintf(`
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: 2
    max: %d
    alert_step: { up: 4, down: 4 }
    scale_up: { cooldown: 1s }
    strategy: %s
    targets:
      - name: on-demand
        aws_asg: { name: on-demand, %s }
        cost_per_hour: 0.4
        provisioning_time: 1h
      - name: spot
        aws_asg: { name: spot, %[3]s }
        cost_per_hour: 0.08
        max: %d
      - name: google
        gcp_mig: { name: web, %s }
        cost_per_hour: 0.2
`, most, strategy, conn, spotMost, where)
	}
	s := startServerBy(t, append([]string{"env"}, awsKeys...), realtest.FreePort(t), configured(policy.StrategyCost, 6, 4))
	reload := func(text string) {
		s.configure(text)
		if code, answer := s.post("/-/reload", ""); code != http.StatusOK {
			t.Fatalf("reload: %d %s", code, answer)
		}
	}

	// The cheapest has room for the minimum.
	s.eventually(2*time.Minute, "the minimum", "web", replicas(2))
	s.placed("web", policy.ReasonBelowMin, []policy.Placement{{Target: "on-demand"}, {Target: "spot", To: 2}, {Target: "google"}})
	// Four more are two of the cheapest, up to its maximum, and two of the next.
	s.fire("up", "web")
	s.eventually(2*time.Minute, "four more", "web", replicas(6))
	s.placed("web", policy.ReasonScaledUp, []policy.Placement{{Target: "on-demand"}, {Target: "spot", From: 2, To: 4}, {Target: "google", To: 2}})

	// Spot was measured at eight seconds and more, Google at far less, and of
	// on-demand there is only what the configuration says.
	reload(configured(policy.StrategyLatency, 8, 10))
	s.eventually(2*time.Minute, "two more", "web", replicas(8))
	s.placed("web", policy.ReasonAtMax, []policy.Placement{{Target: "on-demand"}, {Target: "spot", From: 4, To: 4}, {Target: "google", From: 2, To: 4}})

	// The cheapest takes two more, and AWS does not find them. That is seen
	// later: they are asked of the next one, which has no quota and says so at
	// once, so that the last one gets them in the same step.
	reload(configured(policy.StrategyCost, 10, 10))
	s.eventually(2*time.Minute, "the last one has what nobody else had", "web", func(st status.Policy) error {
		ready := make(map[string]int)
		for _, x := range st.Targets {
			ready[x.Name] = x.Ready
		}
		if diff := cmp.Diff(map[string]int{"on-demand": 2, "spot": 4, "google": 4}, ready); diff != "" {
			return fmt.Errorf("ready (-want +got):\n%s\n%s", diff, st.Explanation)
		}
		return nil
	})
	s.placed("web", policy.ReasonAtMax, []policy.Placement{{Target: "on-demand"}, {Target: "spot", From: 4, To: 6}, {Target: "google", From: 4, To: 4}})
	d := s.placed("web", policy.ReasonTargetFailed, []policy.Placement{{Target: "on-demand", To: 2}, {Target: "spot", From: 6, To: 4}, {Target: "google", From: 4, To: 4}})
	for _, why := range []string{
		"2 replicas of spot never became ready (quota) and are asked of another target",
		"google refused 2 (quota), of which others took 2",
	} {
		if !strings.Contains(d.Explain(), why) {
			t.Errorf("the decision does not say %q: %s", why, d.Explain())
		}
	}
	st := s.policy("web")
	for _, x := range st.Targets {
		if backedOff := time.Until(x.BackoffUntil) > 3*time.Minute; backedOff != (x.Name != "on-demand") {
			t.Errorf("%s is left alone until %s", x.Name, x.BackoffUntil)
		}
	}
	for name, want := range map[string][]int{"spot": {2, 4, 6, 4}, "on-demand": {2}} {
		if diff := cmp.Diff(want, askedOfGroup(amazon, name)); diff != "" {
			t.Errorf("what %s was asked for (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff([]int{2, 4}, google.Asked("europe-west1-b", "web")); diff != "" {
		t.Errorf("what Google did (-want +got):\n%s", diff)
	}
	for _, name := range []string{"spot", "google"} {
		if got := s.metric(`alertscaler_action_failures_total{policy="web",reason="quota",target="` + name + `"}`); got != "1" {
			t.Errorf("%s failed %s times for want of quota, want once", name, got)
		}
	}
}

// TestDocumentedClouds loads the example of docs/clouds.md as it is written.
func TestDocumentedClouds(t *testing.T) {
	t.Parallel()
	text := realtest.Documented(t, "../../docs/clouds.md", "## An on-demand group, a spot group and another cloud")
	if _, err := config.Load("clouds.md", []byte(text), install.Registry()); err != nil {
		t.Error(err)
	}
}
