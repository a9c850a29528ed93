package main_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestKubernetes runs all that can share a cluster on one, as it takes a while
// to start.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	k := realtest.StartKubernetes(t)
	for name, test := range map[string]func(*testing.T, *realtest.Kubernetes){
		"Loop": testKubernetesLoop, "Conflicts": testKubernetesConflicts, "Throttled": testKubernetesThrottled,
		"Forbidden": testKubernetesForbidden, "InCluster": testKubernetesInCluster, "Victims": testKubernetesVictims,
		"Renewed": testKubernetesRenewed, "HangingPlugin": testKubernetesHangingPlugin, "NoRoom": testKubernetesNoRoom,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// deployment makes a Deployment of one pod in the namespace default and returns
// its name.
func deployment(t *testing.T, k *realtest.Kubernetes) string {
	t.Helper()
	name := "web-" + strings.ToLower(rand.Text()[:8])
	k.Create(t, fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: { name: %[1]s }
spec:
  replicas: 1
  selector: { matchLabels: { app: %[1]s } }
  template:
    metadata: { labels: { app: %[1]s } }
    spec:
      containers:
        - { name: web, image: example/web, resources: { limits: { cpu: 500m, memory: 128Mi } } }
`, name))
	return name
}

// requested is the number that the Deployment is asked for, and how often that
// was changed since it was made: it is all that anyone changes of its
// specification.
func requested(t testing.TB, k *realtest.Kubernetes, namespace, name string) (replicas, moves int) {
	t.Helper()
	var d struct {
		Metadata struct{ Generation int }
		Spec     struct{ Replicas int }
	}
	k.Call(t, http.MethodGet, "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, nil, &d)
	return d.Spec.Replicas, d.Metadata.Generation - 1
}

// stepping is a policy that moves a Deployment of the namespace default by one
// when an alert says so, and not again within the test.
func stepping(name, deployment, kubeconfig string) string {
	return fmt.Sprintf(`
  - name: %s
    min: 1
    max: 10
    scale_up: { cooldown: 10m }
    targets:
      - name: cluster
        kubernetes: { namespace: default, name: %s, kubeconfig: %q }
`, name, deployment, kubeconfig)
}

// oneMove waits for two replicas, and checks that it took one move, then and
// some evaluations later.
func (s *server) oneMove(k *realtest.Kubernetes, policyName, deployment string) {
	s.t.Helper()
	s.eventually(2*time.Minute, "two replicas", policyName, replicas(2))
	time.Sleep(3 * time.Second)
	if n, moves := requested(s.t, k, "default", deployment); n != 2 || moves != 1 {
		s.t.Errorf("%s: %d replicas after %d moves, want 2 after one", policyName, n, moves)
	}
}

// actions ends the server and returns what its ledger says of the policy's
// actions, the oldest first.
func (s *server) actions(policyName string) []ledger.Action {
	s.t.Helper()
	s.Stop(s.t)
	l, err := ledger.Open(ledger.Options{Path: filepath.Join(s.dir, "data")})
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	as, err := l.Actions(ledger.Query{Policy: policyName})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Reverse(as)
	return as
}
