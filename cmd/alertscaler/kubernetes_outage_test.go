package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// outage is how long the API server is gone.
const outage = time.Minute

// TestKubernetesOutage ends the API server for a minute in the middle of two
// actions: of one the request is lost, of the other the answer. A third policy
// is told to scale while nobody is there to ask. All three end where they
// should, with one move each.
func TestKubernetesOutage(t *testing.T) {
	t.Parallel()
	k := realtest.StartKubernetes(t)
	names := map[string]string{"request": deployment(t, k), "answer": deployment(t, k), "during": deployment(t, k)}
	held, gone := make(chan error, 2), make(chan struct{})
	// hold keeps the first change until the server is gone.
	hold := func(before func(*http.Request) error) func(http.ResponseWriter, *http.Request) bool {
		var c changes
		return c.refuse(1, func(_ http.ResponseWriter, r *http.Request) {
			held <- before(r)
			<-gone
			panic(http.ErrAbortHandler)
		})
	}
	admin := realtest.KubernetesAdmin + "-token"
	s := startServer(t, "global: { evaluation_interval: 500ms }\npolicies:"+
		stepping("request", names["request"], k.Proxy(t, admin, hold(func(*http.Request) error { return nil })))+
		stepping("answer", names["answer"], k.Proxy(t, admin, hold(func(r *http.Request) error {
			var scale map[string]any
			if err := json.NewDecoder(r.Body).Decode(&scale); err != nil {
				return err
			}
			return k.Try(r.Method, r.URL.Path, scale, nil)
		})))+
		stepping("during", names["during"], k.Kubeconfig(t, admin)))
	for name := range names {
		s.eventually(time.Minute, "one replica", name, replicas(1))
	}
	s.fire("up", "request")
	s.fire("up", "answer")
	for range 2 {
		select {
		case err := <-held:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("the API server was not asked")
		}
	}
	k.APIServer.Kill()
	close(gone)
	back := time.Now().Add(outage)

	for name := range names {
		s.eventually(30*time.Second, "the status says that it cannot be read", name, func(st status.Policy) error {
			if st.Targets[0].Error == "" {
				return fmt.Errorf("%+v", st.Targets[0])
			}
			return nil
		})
	}
	s.fire("up", "during")
	for name, want := range map[string]string{"request": "1", "answer": "1", "during": "0"} {
		if got := s.metric(`alertscaler_action_failures_total{policy="` + name + `",reason="temporary",target="cluster"}`); got != want {
			t.Errorf("%s: %s temporary failures, want %s", name, got, want)
		}
	}
	time.Sleep(time.Until(back))
	for name := range names {
		st := s.policy(name)
		if n, _ := counts(st); st.Targets[0].Error == "" || n > 2 {
			t.Errorf("%s after a minute: %+v", name, st.Targets[0])
		}
	}

	k.APIServer.Restart(t)
	// Without its lease a controller manager ends, and begins anew. This one has
	// no lease, and would be up to a minute late.
	k.ControllerManager.Restart(t)
	for name, deployment := range names {
		s.oneMove(k, name, deployment)
	}
	// What was in the air is in the ledger, with what came of it.
	for name, want := range map[string][]ledger.ActionState{
		"request": {ledger.Failed, ledger.Converged}, "answer": {ledger.Converged}, "during": {ledger.Converged},
	} {
		as := s.actions(name)
		wantStates(t, as, want)
		if kind := target.Kind(as[0].ErrorKind); (kind == target.KindTemporary) != (name != "during") {
			t.Errorf("%s: the first action failed as %q: %s", name, kind, as[0].Error)
		}
	}
}
