package main_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// changes are the times at which a proxy was asked to change something, some of
// which it refuses.
type changes struct {
	mu sync.Mutex
	at []time.Time
}

// refuse returns a fault that answers the first n changes itself.
func (c *changes) refuse(n int, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.at = append(c.at, time.Now())
		if len(c.at) > n {
			return false
		}
		answer(w, r)
		return true
	}
}

func (c *changes) times() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Time(nil), c.at...)
}

// answerOf is how the API server refuses with that code.
func answerOf(code int, reason, details string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":%q,"message":"told so","code":%d%s}`, reason, code, details)
	}
}

// startStepping runs a server with one policy "web" through a proxy, until its
// Deployment is in order, and fires.
func startStepping(t *testing.T, k *realtest.Kubernetes, fault func(http.ResponseWriter, *http.Request) bool) (s *server, deploymentName string) {
	t.Helper()
	deploymentName = deployment(t, k)
	s = startServer(t, "global: { evaluation_interval: 500ms }\npolicies:"+
		stepping("web", deploymentName, k.Proxy(t, realtest.KubernetesAdmin+"-token", fault)))
	s.eventually(time.Minute, "one replica", "web", replicas(1))
	s.fire("up", "web")
	return s, deploymentName
}

// testKubernetesConflicts: a conflict that ends is tried again within the
// action, and one that does not is left for the next evaluation after a pause.
func testKubernetesConflicts(t *testing.T, k *realtest.Kubernetes) {
	for _, test := range []struct {
		name      string
		conflicts int
		want      []ledger.ActionState
	}{
		{"four", 4, []ledger.ActionState{ledger.Converged}},
		{"five", 5, []ledger.ActionState{ledger.Superseded, ledger.Converged}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var c changes
			s, name := startStepping(t, k, c.refuse(test.conflicts, answerOf(http.StatusConflict, "Conflict", "")))
			s.oneMove(k, "web", name)
			at := c.times()
			if len(at) != test.conflicts+1 {
				t.Fatalf("asked %d times, want %d refusals and one success", len(at), test.conflicts)
			}
			if pause := at[test.conflicts].Sub(at[test.conflicts-1]); (pause >= 4*time.Second) != (test.conflicts == 5) {
				t.Errorf("%v between the last refusal and the success", pause)
			}
			if burst := at[test.conflicts-1].Sub(at[0]); burst > 4*time.Second {
				t.Errorf("%v from the first to the last conflict, want them at once", burst)
			}
			wantStates(t, s.actions("web"), test.want)
		})
	}
}

func wantStates(t *testing.T, actions []ledger.Action, want []ledger.ActionState) {
	t.Helper()
	var got []ledger.ActionState
	for i := range actions {
		got = append(got, actions[i].State)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions in the ledger (-want +got):\n%s\n%+v", diff, actions)
	}
}

// testKubernetesThrottled: the server waits as long as it is told, each time,
// and not longer the second time.
func testKubernetesThrottled(t *testing.T, k *realtest.Kubernetes) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"text", func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "Too many requests, please try again later.", http.StatusTooManyRequests)
		}},
		{"status", answerOf(http.StatusTooManyRequests, "TooManyRequests", "")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const wait = 7 * time.Second
			var c changes
			s, name := startStepping(t, k, c.refuse(2, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				test.answer(w, r)
			}))
			s.eventually(20*time.Second, "the wait is in the status", "web", func(st status.Policy) error {
				left := time.Until(st.Targets[0].BackoffUntil)
				if left <= 0 || left > wait || st.Last.Reason != policy.ReasonTargetBackoff {
					return fmt.Errorf("%v left; %s", left, st.Explanation)
				}
				return nil
			})
			s.oneMove(k, "web", name)
			at := c.times()
			if len(at) != 3 {
				t.Fatalf("asked %d times, want 3", len(at))
			}
			for i := range 2 {
				if pause := at[i+1].Sub(at[i]); pause < wait-100*time.Millisecond || pause > wait+5*time.Second {
					t.Errorf("waited %v, want the %v that were asked for", pause, wait)
				}
			}
			if got := s.metric(`alertscaler_action_failures_total{policy="web",reason="throttled",target="cluster"}`); got != "2" {
				t.Errorf("%s throttled actions, want 2", got)
			}
			wantStates(t, s.actions("web"), []ledger.ActionState{ledger.Failed, ledger.Failed, ledger.Converged})
		})
	}
}

// testKubernetesForbidden has a role that may read and not write, by a mistake
// that people make: the target is left alone for minutes, and it says why.
func testKubernetesForbidden(t *testing.T, k *realtest.Kubernetes) {
	name := deployment(t, k)
	k.Create(t, strings.ReplaceAll(`
{ apiVersion: v1, kind: ServiceAccount, metadata: { name: NAME } }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: NAME }
rules:
  - { apiGroups: [apps], resources: [deployments, deployments/scale], verbs: [get] }
  - { apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: NAME }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: NAME }
subjects: [ { kind: ServiceAccount, name: NAME, namespace: default } ]
`, "NAME", name))
	s := startServer(t, "global: { evaluation_interval: 500ms }\npolicies:"+
		stepping("web", name, k.Kubeconfig(t, k.ServiceAccountToken(t, "default", name))))
	s.eventually(time.Minute, "one replica", "web", replicas(1))
	s.fire("up", "web")
	s.eventually(20*time.Second, "the target is left alone for minutes", "web", func(st status.Policy) error {
		left := time.Until(st.Targets[0].BackoffUntil)
		if left < 4*time.Minute || left > 5*time.Minute {
			return fmt.Errorf("%v left; %s", left, st.Explanation)
		}
		return nil
	})
	time.Sleep(3 * time.Second)
	if got := s.metric(`alertscaler_action_failures_total{policy="web",reason="unauthorized",target="cluster"}`); got != "1" {
		t.Errorf("%s failures, want 1", got)
	}
	if d := s.placed("web", policy.ReasonTargetFailed, []policy.Placement{{Target: "cluster", From: 1, To: 1}}); !strings.Contains(d.Explain(), "cluster refused 1 (unauthorized)") {
		t.Errorf("the decision says %q", d.Explain())
	}
	if n, moves := requested(t, k, "default", name); n != 1 || moves != 0 {
		t.Errorf("%d replicas after %d moves", n, moves)
	}
	as := s.actions("web")
	wantStates(t, as, []ledger.ActionState{ledger.Failed})
	if want := `cannot update resource "deployments/scale"`; len(as) == 1 && !strings.Contains(as[0].Error, want) {
		t.Errorf("the ledger says %q, want %q", as[0].Error, want)
	}
}
