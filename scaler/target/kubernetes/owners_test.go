package kubernetes

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// createAutoscaler makes a HorizontalPodAutoscaler of a Deployment and returns
// its path.
func (c *testCluster) createAutoscaler(t *testing.T, name, of string) string {
	t.Helper()
	c.Create(t, strings.NewReplacer("NAME", name, "OF", of).Replace(`
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: NAME }
spec:
  maxReplicas: 10
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: OF }
  metrics: [ { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } } ]
`))
	return object("autoscaling/v2", "horizontalpodautoscalers", name)
}

// testAutoscaler refuses what an autoscaler scales, and nothing else.
func testAutoscaler(t *testing.T, c *testCluster) {
	other := c.create(t, "apps/v1", "Deployment", 1, "0s")
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	hpa := c.createAutoscaler(t, "cpu-of-"+name, name)

	scale(t, open(t, c.deployment(other)), 2)
	tgt := open(t, c.deployment(name))
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
	wantKind(t, "Scale beside an autoscaler", tgt.Scale(t.Context(), 2), target.KindPermanent, "HorizontalPodAutoscaler cpu-of-"+name)
	settle(t, tgt, target.State{Requested: 1, Ready: 1})

	allowed := c.deployment(name)
	allowed.AllowOtherOwners = true
	scale(t, open(t, allowed), 2)

	// The refusal ends with its reason, not some time later.
	c.Call(t, http.MethodDelete, hpa, nil, nil)
	scale(t, tgt, 3)
	// And that nobody else scales it is believed for a while.
	c.createAutoscaler(t, "later-of-"+name, name)
	scale(t, tgt, 2)
	w := workloadOf(tgt)
	earlier := w.unownedAt.Load().Add(-unownedFor)
	w.unownedAt.Store(&earlier)
	wantKind(t, "Scale a minute later", tgt.Scale(t.Context(), 1), target.KindPermanent, "later-of-"+name)
}

// testOwner refuses the ReplicaSet of a Deployment, and scales one of its own.
func testOwner(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	settle(t, open(t, c.deployment(name)), target.State{Requested: 1, Ready: 1})
	var sets widgetList
	c.Call(t, http.MethodGet, object("apps/v1", "replicasets", "")+"?labelSelector=app="+name, nil, &sets)
	if len(sets.Items) != 1 {
		t.Fatalf("Deployment %s has %d ReplicaSets", name, len(sets.Items))
	}
	cfg := c.deployment(sets.Items[0].Metadata.Name)
	cfg.Kind = "ReplicaSet"
	tgt := open(t, cfg)
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
	wantKind(t, "Scale", tgt.Scale(t.Context(), 2), target.KindPermanent, "owned by Deployment "+name)

	own := c.deployment(c.create(t, "apps/v1", "ReplicaSet", 1, "0s"))
	own.Kind = "ReplicaSet"
	scale(t, open(t, own), 3)
}

// testRole works under exactly the role of the documentation, and with no rule
// of it less.
func testRole(t *testing.T, c *testCluster) {
	manifests := realtest.Documented(t, "../../../docs/kubernetes.md", "## What it may do")
	c.Create(t, manifests)
	c.Create(t, `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: web, image: example/web } ] }
`)
	cfg := &Config{
		APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "web",
		Kubeconfig: c.Kubeconfig(t, c.ServiceAccountToken(t, "alertscaler", "alertscaler")), clients: &c.clients,
	}
	eventually(t, cfg, "", "it works with the role")
	scale(t, open(t, cfg), 3)

	whole := rules(t, manifests)
	change := func(rules []map[string]any) {
		c.Call(t, http.MethodPatch, "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/alertscaler", map[string]any{"rules": rules}, nil)
	}
	for i, rule := range whole {
		change(append(append([]map[string]any{}, whole[:i]...), whole[i+1:]...))
		eventually(t, cfg, target.KindUnauthorized, fmt.Sprintf("it does not work without %v", rule))
		change(whole)
		eventually(t, cfg, "", "it works with the whole role")
	}
}

// rules are those of the Role among manifests.
func rules(t testing.TB, manifests string) []map[string]any {
	t.Helper()
	var role struct {
		Kind  string
		Rules []map[string]any
	}
	for docs := yaml.NewDecoder(strings.NewReader(manifests)); role.Kind != "Role"; {
		if err := docs.Decode(&role); err != nil {
			t.Fatal(err)
		}
	}
	return role.Rules
}

// eventually waits until a new target reads and scales with that result. The
// server goes by a changed role only after a moment.
func eventually(t *testing.T, cfg *Config, want target.Kind, what string) {
	t.Helper()
	realtest.Eventually(t, converge, 100*time.Millisecond, what, func() error {
		tgt := open(t, cfg)
		st, err := tgt.Current(t.Context())
		if err == nil {
			err = tgt.Scale(t.Context(), st.Requested%3+1)
		}
		switch {
		case target.KindOf(err) == want:
			return nil
		case err == nil:
			return errors.New("it works")
		default:
			return fmt.Errorf("%w (kind %q)", err, target.KindOf(err))
		}
	})
}
