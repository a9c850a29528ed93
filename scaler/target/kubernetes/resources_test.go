package kubernetes

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// documented is the first target of an example of the documentation, on this
// cluster.
func (c *testCluster) documented(t *testing.T, heading string) *Config {
	t.Helper()
	var policy struct {
		Targets []struct{ Kubernetes *Config }
	}
	if err := yaml.Unmarshal([]byte(realtest.Documented(t, "../../../docs/kubernetes.md", heading)), &policy); err != nil {
		t.Fatal(err)
	}
	cfg := policy.Targets[0].Kubernetes
	cfg.Kubeconfig, cfg.clients = c.kubeconfig, &c.clients
	return cfg
}

// define makes the kinds of a file known to the API server.
func (c *testCluster) define(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c.Create(t, string(b))
}

// testFleet plays Agones' controller: a game server that is allocated to
// players is ready no more, and serves.
func testFleet(t *testing.T, c *testCluster) {
	c.define(t, "testdata/fleet.yml")
	c.Create(t, `
{ apiVersion: v1, kind: Namespace, metadata: { name: games } }
---
{ apiVersion: agones.dev/v1, kind: Fleet, metadata: { name: arena, namespace: games }, spec: { replicas: 3, template: {} } }
`)
	status := func(ready, reserved, allocated int) {
		c.Call(t, http.MethodPatch, "/apis/agones.dev/v1/namespaces/games/fleets/arena/status", map[string]any{"status": map[string]any{
			"replicas": ready + reserved + allocated, "readyReplicas": ready, "reservedReplicas": reserved, "allocatedReplicas": allocated,
		}}, nil)
	}
	fleet := open(t, c.documented(t, "### An Agones Fleet"))
	settle(t, fleet, target.State{Requested: 3}) // nothing exists yet
	status(1, 0, 2)
	settle(t, fleet, target.State{Requested: 3, Ready: 3})
	ask(t, fleet, 5)
	status(0, 1, 3)
	settle(t, fleet, target.State{Requested: 5, Ready: 4})
	status(1, 1, 3)
	settle(t, fleet, target.State{Requested: 5, Ready: 5})
	ask(t, fleet, 2)
	status(0, 0, 3) // Agones ends no game
	settle(t, fleet, target.State{Requested: 2, Ready: 3})
}

// testNodePool plays Karpenter's.
func testNodePool(t *testing.T, c *testCluster) {
	c.define(t, "testdata/nodepool.yml")
	c.Create(t, `
{ apiVersion: karpenter.sh/v1, kind: NodePool, metadata: { name: burst }, spec: { replicas: 2, template: {} } }
---
{ apiVersion: karpenter.sh/v1, kind: NodePool, metadata: { name: by-demand }, spec: { template: {} } }
`)
	status := func(nodes int) {
		c.Call(t, http.MethodPatch, "/apis/karpenter.sh/v1/nodepools/burst/status", map[string]any{"status": map[string]any{"nodes": nodes}}, nil)
	}
	cfg := c.documented(t, "### A Karpenter NodePool")
	pool := open(t, cfg)
	settle(t, pool, target.State{Requested: 2})
	status(2)
	settle(t, pool, target.State{Requested: 2, Ready: 2})
	ask(t, pool, 4)
	settle(t, pool, target.State{Requested: 4, Ready: 2})
	status(4)
	settle(t, pool, target.State{Requested: 4, Ready: 4})

	dynamic := *cfg
	dynamic.Name = "by-demand"
	_, err := open(t, &dynamic).Current(t.Context())
	wantKind(t, "Current of a pool that has no number", err, target.KindTemporary, ".spec.replicas")
}

// TestCounts reads how many replicas serve from resources of many kinds.
func TestCounts(t *testing.T) {
	t.Parallel()
	obj := map[string]any{
		"status": map[string]any{
			"ready": int64(2), "busy": int64(3), "share": 0.5, "word": "many", "less": int64(-1), "a.b": int64(7),
			"pools": []any{map[string]any{"name": "x", "ready": int64(1)}, map[string]any{"name": "y", "ready": int64(4)}},
		},
	}
	for _, test := range []struct {
		paths string
		want  int
		found bool
		wrong string
	}{
		{paths: ".status.ready", want: 2, found: true},
		{paths: "status.ready", want: 2, found: true},
		{paths: "{ .status.ready }+{$.status.busy}", want: 5, found: true},
		{paths: ".status.ready + .status.idle", want: 2, found: true},
		{paths: ".status.idle + .spec.idle"},
		{paths: ".status.pools[*].ready", want: 5, found: true},
		{paths: `.status.pools[?(@.name=="y")].ready + .status.ready`, want: 6, found: true},
		{paths: `.status.a\.b`, want: 7, found: true},
		{paths: ".status.share", wrong: "0.5, which is no number of replicas"},
		{paths: ".status.word", wrong: "many"},
		{paths: ".status.less", wrong: "-1"},
		{paths: ".status.pools", wrong: "no number of replicas"},
	} {
		c, err := parseCounts(test.paths)
		if err != nil {
			t.Errorf("%s: %v", test.paths, err)
			continue
		}
		n, found, err := c.sum("read", obj)
		if test.wrong != "" {
			wantKind(t, test.paths, err, target.KindTemporary, test.wrong)
			continue
		}
		if err != nil || n != test.want || found != test.found {
			t.Errorf("%s: %d, %t, %v; want %d, %t", test.paths, n, found, err, test.want, test.found)
		}
	}
	for _, paths := range []string{".", "+", ".status.ready +", ".status.[", "{.a}{.b}", "{.a"} {
		if c, err := parseCounts(paths); err == nil || !strings.Contains(err.Error(), "such as .status.readyReplicas") {
			t.Errorf("%q is taken as %v, %v", paths, c, err)
		}
	}
}
