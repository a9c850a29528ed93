package policy_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// moment is what was decided at a time, where it differs from before.
type moment struct {
	at      time.Duration
	desired int
	reason  policy.Reason
}

// play runs a policy every 15 s from now on for the given time, as the engine
// would: what it acts on is requested at once and ready after provisioning.
func play(p policy.Policy, replicas int, provisioning, length time.Duration, look func(at time.Duration) policy.Observation) []moment {
	var (
		h        policy.History
		requests = map[string]time.Time{}
		told     []moment
	)
	for at := time.Duration(0); at <= length; at += 15 * time.Second {
		t := in(at)
		for id, ready := range requests {
			if !ready.After(t) {
				h.Settled(id, ready, false)
				delete(requests, id)
			}
		}
		o := look(at)
		o.Targets = one(replicas)
		d := policy.Decide(p, o, h, t)
		h.Observe(p, d)
		if d.Act {
			id := t.String()
			h.Moved(p, policy.Move{ID: id, At: t, From: d.Current, To: d.Desired})
			requests[id] = t.Add(provisioning)
			replicas = d.Desired
		}
		if m := (moment{at, d.Desired, d.Reason}); len(told) == 0 || told[len(told)-1].desired != m.desired || told[len(told)-1].reason != m.reason {
			told = append(told, m)
		}
	}
	return told
}

func expect(t *testing.T, got []moment, want ...moment) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(moment{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// shipped are the defaults that configuration gives a policy with resources.
func shipped(p *policy.Policy) {
	p.MaxGap = 2 * time.Minute
	p.ScaleUp = policy.Behavior{Tolerance: 0.1, Step: policy.StepLimit{Replicas: 4, Ratio: 1, Per: 15 * time.Second}}
	p.ScaleDown = policy.Behavior{Tolerance: 0.1, Stabilization: 5 * time.Minute, Cooldown: 5 * time.Minute, Step: policy.StepLimit{Ratio: 0.1, Per: time.Minute}}
}

func TestBurstDoublesAtOnceAndIsGivenBackSlowly(t *testing.T) {
	// 40 cores for five minutes, then 8.
	got := play(web(shipped), 4, 30*time.Second, 16*time.Minute, func(at time.Duration) policy.Observation {
		if at < 5*time.Minute {
			return policy.Observation{Up: 1, Usage: []policy.Usage{cpu(40)}}
		}
		return policy.Observation{Down: 1, Usage: []policy.Usage{cpu(8)}}
	})
	expect(t, got,
		moment{0, 8, policy.ReasonStepLimited},
		moment{15 * time.Second, 16, policy.ReasonStepLimited},
		moment{30 * time.Second, 20, policy.ReasonScaledUp},
		moment{45 * time.Second, 20, policy.ReasonSatisfied},
		// The burst is over. Its last recommendation of 20 was made at 4:45.
		moment{5 * time.Minute, 20, policy.ReasonStabilizing},
		moment{10 * time.Minute, 18, policy.ReasonStepLimited},
		// One step a minute, and then the cooldown: ready at 10:30, so five
		// minutes from then.
		moment{11 * time.Minute, 18, policy.ReasonCoolingDown},
		moment{15*time.Minute + 30*time.Second, 16, policy.ReasonStepLimited},
	)
}

func TestAlertAloneClimbsOneStepACooldown(t *testing.T) {
	p := worker(goesUp(policy.Behavior{Cooldown: time.Minute}), goesDown(policy.Behavior{Cooldown: 5 * time.Minute}))
	got := play(p, 2, 45*time.Second, 4*time.Minute, func(at time.Duration) policy.Observation {
		if at < 3*time.Minute {
			return policy.Observation{Up: 1}
		}
		return policy.Observation{}
	})
	expect(t, got,
		moment{0, 3, policy.ReasonScaledUp},
		moment{15 * time.Second, 3, policy.ReasonConverging},
		moment{45 * time.Second, 3, policy.ReasonCoolingDown},
		moment{105 * time.Second, 4, policy.ReasonScaledUp},
		moment{120 * time.Second, 4, policy.ReasonConverging},
		moment{150 * time.Second, 4, policy.ReasonCoolingDown},
		moment{180 * time.Second, 4, policy.ReasonNoAlert},
	)
}

func TestNoisyUsageDoesNotFlap(t *testing.T) {
	// The need goes to and fro between 5 and 10 replicas, and so do the alerts.
	got := play(web(shipped), 10, 30*time.Second, 30*time.Minute, func(at time.Duration) policy.Observation {
		if at/(15*time.Second)%2 == 0 {
			return policy.Observation{Up: 1, Usage: []policy.Usage{cpu(20)}}
		}
		return policy.Observation{Down: 1, Usage: []policy.Usage{cpu(10)}}
	})
	if i := slices.IndexFunc(got, func(m moment) bool { return m.desired != 10 }); i >= 0 {
		t.Errorf("moved to %d (%s) after %s", got[i].desired, got[i].reason, got[i].at)
	}
}

func TestOutageOfPrometheusHoldsAndThenWaitsForAWindow(t *testing.T) {
	// Nothing is known from 6:00 to 8:00.
	got := play(web(shipped, goesDown(policy.Behavior{Stabilization: 5 * time.Minute})), 10, 30*time.Second, 13*time.Minute, func(at time.Duration) policy.Observation {
		if at >= 6*time.Minute && at < 8*time.Minute {
			return policy.Observation{Down: 1, Usage: []policy.Usage{unknown("cpu", policy.ProblemUnavailable)}}
		}
		if at < 8*time.Minute {
			return policy.Observation{Usage: []policy.Usage{cpu(8)}}
		}
		return policy.Observation{Down: 1, Usage: []policy.Usage{cpu(8)}}
	})
	expect(t, got,
		moment{0, 10, policy.ReasonNoAlert},
		moment{6 * time.Minute, 10, policy.ReasonMissingData},
		moment{8 * time.Minute, 10, policy.ReasonStabilizing},
		moment{13 * time.Minute, 4, policy.ReasonScaledDown},
	)
}
