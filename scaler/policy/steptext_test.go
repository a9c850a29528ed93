package policy_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// What Explain leaves out is read in the API and on the pages.
func TestStepString(t *testing.T) {
	for _, c := range []struct {
		step policy.Step
		want string
	}{
		{policy.Step{Name: policy.StepBounds, Replicas: 4, Value: 2, Limit: 20}, "within 2..20"},
		{policy.Step{Name: policy.StepBounds, Replicas: 2, Value: 2, Limit: 20}, "within 2..20"},
		{policy.Step{Name: policy.StepBounds, Replicas: 20, Value: 2, Limit: 20}, "within 2..20"},
		{policy.Step{Name: policy.StepBounds, Replicas: 1, Value: 2, Limit: 20}, "outside 2..20, which this mode does not correct"},
		{policy.Step{Name: policy.StepQuality, Subject: "memory", Reason: policy.ReasonMissingData, Detail: "stale"}, "memory is unknown (stale)"},
		{policy.Step{Name: policy.StepRequirement, Subject: "cpu", Value: 8.25, Limit: 9}, "cpu needs 8.25, so 9"},
		{policy.Step{Name: policy.StepRequirement, Subject: "cpu", Value: 6, Limit: 6}, "cpu needs 6"},
		{policy.Step{Name: policy.StepDirection, Subject: "up", Value: 1}, "1 active alert points up"},
		{policy.Step{Name: policy.StepDirection, Subject: "down", Value: 3}, "3 active alerts point down"},
		{policy.Step{Name: policy.StepRecommendation, Replicas: 9, Reason: policy.ReasonScaledUp, Value: 8.25, Limit: 9}, "needs 9"},
		{policy.Step{Name: policy.StepTolerance, Replicas: 9, Value: 1.5, Limit: 0.1}, "50 % more is needed than there is, and 10 % is tolerated"},
		{policy.Step{Name: policy.StepTolerance, Replicas: 4, Value: 0.333333, Limit: 0.1}, "66.7 % less is needed than there is, and 10 % is tolerated"},
		{policy.Step{Name: policy.StepStabilization, Replicas: 9, Subject: "up", Value: 9, Limit: 90}, "the lowest recommendation of the last 1m30s is 9"},
		{policy.Step{Name: policy.StepStabilization, Replicas: 9, Subject: "down", Value: 9, Limit: 3600}, "the highest recommendation of the last 1h is 9"},
		{policy.Step{Name: policy.StepStepLimit, Replicas: 9, Value: 6, Limit: 10}, "the step limit allows 10 (from 6)"},
		{policy.Step{Name: policy.StepCooldown, Replicas: 9, Subject: "up"}, "no cooldown runs"},
		{policy.Step{Name: policy.StepMinMax, Replicas: 9, Value: 2, Limit: 20}, "within 2..20"},
		{policy.Step{Name: policy.StepPlacement, Replicas: 9}, "every replica has a target"},
		{policy.Step{Name: policy.StepPlacement, Replicas: 9, Value: 1, Until: now}, "1 more waits for a target that is backed off until 2026-01-05T08:00:00Z"},
		{policy.Step{Name: policy.StepPlacement, Replicas: 9, Value: -1}, "1 stays on a target that is backed off"},
		{policy.Step{Name: "later", Subject: "shop", Detail: "has no more", Until: now}, "shop has no more until 2026-01-05T08:00:00Z"},
	} {
		if got := c.step.String(); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.step.Name, got, c.want)
		}
	}
}

func TestQuantitiesAreReadable(t *testing.T) {
	for _, c := range []struct {
		usage float64
		want  string
	}{
		{0, "uses 0,"},
		{math.Copysign(0, -1), "uses 0,"},
		{0.00012345, "uses 0.0001234,"},
		{1e-7, "uses 1e-07,"},
		{0.5, "uses 0.5,"},
		{1.0 / 3, "uses 0.3333,"},
		{8.4, "uses 8.4,"},
		{999.96, "uses 1000,"},
		{1000.5, "uses 1000,"},
		{123456.7, "uses 123457,"},
		{999999, "uses 999999,"},
		{1e6, "uses 1M,"},
		{1234567, "uses 1.235M,"},
		{8589934592, "uses 8.59G,"},
		{2.5e13, "uses 25T,"},
		{1e16, "uses 10P,"},
		{1e19, "uses 10E,"},
		{1e30, "uses 1e+30,"},
	} {
		q := policy.Requirement{Resource: "cpu", Usage: c.usage, CapacityPerReplica: 1}
		if got := q.String(); len(got) < 4+len(c.want) || got[4:4+len(c.want)] != c.want {
			t.Errorf("%g: got %q, want cpu %s", c.usage, got, c.want)
		}
	}
}

func TestStepJSON(t *testing.T) {
	for _, c := range []struct {
		step policy.Step
		want string
	}{
		{
			policy.Step{Name: policy.StepMinMax, Replicas: 9, Value: 2, Limit: 20},
			`{"name":"min_max","replicas":9,"value":2,"limit":20,"message":"within 2..20"}`,
		},
		{
			policy.Step{Name: policy.StepCooldown, Replicas: 4, Reason: policy.ReasonCoolingDown, Subject: "up", Limit: 60, Until: in(20 * time.Second)},
			`{"name":"cooldown","replicas":4,"reason":"cooling_down","subject":"up","limit":60,"until":"2026-01-05T08:00:20Z","message":"the cooldown of 1m runs until 2026-01-05T08:00:20Z"}`,
		},
		{
			policy.Step{Name: policy.StepTarget, Reason: policy.ReasonTargetFailed, Subject: "swarm", Detail: "503"},
			`{"name":"target","replicas":0,"reason":"target_failed","subject":"swarm","detail":"503","message":"swarm cannot be read: 503"}`,
		},
	} {
		b, err := json.Marshal(c.step)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, string(b)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		var got policy.Step
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.step, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}
	var s policy.Step
	if err := json.Unmarshal([]byte(`{"replicas":"nine"}`), &s); err == nil {
		t.Error("a step with replicas in words was read")
	}
}
