package kubernetes

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func openDiscoverer(t testing.TB, cfg *DiscoveryConfig) target.Discoverer {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	d, err := cfg.New(target.Options{Name: "cluster"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// found lists what a discovery finds, by kind, name, scale target and labels.
func found(t testing.TB, d target.Discoverer) map[string]target.Discovered {
	t.Helper()
	all, err := d.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]target.Discovered)
	for _, f := range all {
		out[f.What] = f
	}
	if len(out) != len(all) {
		t.Errorf("something was found twice: %v", all)
	}
	return out
}

// workloadIn makes a workload with the metadata in a namespace of its own.
func (c *testCluster) workloadIn(t testing.TB, namespace, kind, name, metadata string) {
	t.Helper()
	c.Create(t, fmt.Sprintf(`
apiVersion: apps/v1
kind: %s
metadata: { name: %s, namespace: %s, %s }
spec:
  replicas: 0
  selector: { matchLabels: { app: %[2]s } }
  template:
    metadata: { labels: { app: %[2]s } }
    spec: { containers: [ { name: web, image: example/web } ] }
`, kind, name, namespace, metadata))
}

func (c *testCluster) namespace(t testing.TB, name string) {
	t.Helper()
	c.Create(t, "{ apiVersion: v1, kind: Namespace, metadata: { name: "+name+" } }")
}

// testDiscovery finds workloads by annotations and by labels, and scales one by
// what was found.
func testDiscovery(t *testing.T, c *testCluster) {
	c.namespace(t, "found-a")
	c.namespace(t, "found-b")
	c.workloadIn(t, "found-a", "Deployment", "web", `annotations: { alertscaler.enable: "true", alertscaler.max: "5", other: x }, labels: { alertscaler.max: "4", alertscaler.min: "1" }`)
	c.workloadIn(t, "found-a", "StatefulSet", "db", `labels: { alertscaler.enable: "false" }`)
	c.workloadIn(t, "found-a", "Deployment", "quiet", `labels: { alertscaler.max: "4" }`)
	c.workloadIn(t, "found-b", "Deployment", "web", `annotations: { alertscaler.enable: "" }`)

	all := found(t, openDiscoverer(t, &DiscoveryConfig{Kubeconfig: c.kubeconfig, Namespaces: []string{"found-a", "found-b"}, clients: &c.clients}))
	if len(all) != 3 {
		t.Errorf("found %v, want three", all)
	}
	web := all["Deployment found-a/web"]
	if web.Name != "found-a:web" || web.ScaleTarget != "found-a/web" {
		t.Errorf("name %q, scale_target %q", web.Name, web.ScaleTarget)
	}
	if diff := cmp.Diff(map[string]string{"enable": "true", "max": "5", "min": "1"}, web.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	for what, enable := range map[string]string{"StatefulSet found-a/db": "false", "Deployment found-b/web": ""} {
		if got, ok := all[what].Labels["enable"]; !ok || got != enable {
			t.Errorf("%s: labels %v", what, all[what].Labels)
		}
	}
	cfg := c.deployment("web")
	cfg.Namespace = "found-a"
	if got := web.Target.Identity(); got != cfg.Identity() {
		t.Errorf("identity %q, want that of the configured one, %q", got, cfg.Identity())
	}
	tgt := open(t, web.Target.(*Config))
	scale(t, tgt, 2)

	sets := found(t, openDiscoverer(t, &DiscoveryConfig{Kubeconfig: c.kubeconfig, Kinds: []string{"StatefulSet"}, clients: &c.clients}))
	_, set := sets["StatefulSet found-a/db"]
	_, deployment := sets["Deployment found-a/web"]
	if !set || deployment {
		t.Errorf("StatefulSets of the whole cluster: the one is among them: %t, a Deployment too: %t", set, deployment)
	}

	c.Call(t, http.MethodDelete, "/apis/apps/v1/namespaces/found-b/deployments/web", nil, nil)
	b := openDiscoverer(t, &DiscoveryConfig{Kubeconfig: c.kubeconfig, Namespaces: []string{"found-b"}, clients: &c.clients})
	realtest.Eventually(t, converge, 100*time.Millisecond, "what was deleted is found no more", func() error {
		if all := found(t, b); len(all) != 0 {
			return fmt.Errorf("found %v", all)
		}
		return nil
	})
}

// testDiscoveryPages lists more than a page has, and takes half a list for
// none.
func testDiscoveryPages(t *testing.T, c *testCluster) {
	c.namespace(t, "found-pages")
	const many = workloadsPerPage + 3
	for i := range many {
		c.workloadIn(t, "found-pages", "StatefulSet", fmt.Sprintf("w-%d", i), `annotations: { alertscaler.enable: "true" }`)
	}
	var asked, fail atomic.Int32
	cfg := &DiscoveryConfig{Namespaces: []string{"found-pages"}, Kinds: []string{"StatefulSet"}}
	cfg.Kubeconfig = c.Proxy(t, realtest.KubernetesAdmin+"-token", func(w http.ResponseWriter, r *http.Request) bool {
		asked.Add(1)
		if r.URL.Query().Get("continue") != "" && fail.Load() == 1 {
			return answer(410, "Expired", "the continue token is too old")(w, r)
		}
		return false
	})
	d := openDiscoverer(t, cfg)
	if n := len(found(t, d)); n != many || asked.Load() != 2 {
		t.Errorf("found %d in %d requests, want %d in 2", n, asked.Load(), many)
	}
	fail.Store(1)
	half, err := d.Discover(t.Context())
	wantKind(t, "half a list", err, target.KindTemporary, "list the statefulsets of namespace found-pages: HTTP status 410: the continue token is too old")
	if half != nil {
		t.Errorf("half a list gave %d things", len(half))
	}
}

// testDiscoveryRole discovers under exactly the role of the manual.
func testDiscoveryRole(t *testing.T, c *testCluster) {
	page, err := os.ReadFile("../../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, manifests, _ := strings.Cut(string(page), "```yaml\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: alertscaler-discovery\n")
	manifests, _, ok := strings.Cut(manifests, "```")
	if !ok {
		t.Fatal("the manual has no role of its own for discovery")
	}
	manifests = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: alertscaler-discovery\n" + manifests
	c.namespace(t, "found-role")
	c.Create(t, "{ apiVersion: v1, kind: ServiceAccount, metadata: { name: finder, namespace: found-role } }")
	c.workloadIn(t, "found-role", "Deployment", "web", `annotations: { alertscaler.enable: "true" }`)
	cfg := &DiscoveryConfig{
		Kubeconfig: c.Kubeconfig(t, c.ServiceAccountToken(t, "found-role", "finder")),
		Namespaces: []string{"found-role"}, clients: &c.clients,
	}
	d := openDiscoverer(t, cfg)
	_, err = d.Discover(t.Context())
	wantKind(t, "without a role", err, target.KindUnauthorized, "list the deployments of namespace found-role")

	manifests = strings.NewReplacer("namespace: shop", "namespace: found-role", "namespace: alertscaler", "namespace: found-role", "name: alertscaler\n", "name: finder\n").Replace(manifests)
	c.Create(t, manifests)
	realtest.Eventually(t, converge, 100*time.Millisecond, "it works with the role", func() error {
		all, err := d.Discover(t.Context())
		if err == nil && len(all) != 1 {
			err = fmt.Errorf("found %v", all)
		}
		return err
	})
}

func TestDiscoveryConfig(t *testing.T) {
	t.Parallel()
	var clients Clients
	cfg := clients.NewDiscoveryConfig().(*DiscoveryConfig)
	cfg.Kubeconfig = "kubeconfig"
	cfg.SetDirectory("/etc/alertscaler")
	if cfg.Kubeconfig != filepath.FromSlash("/etc/alertscaler/kubeconfig") || cfg.clients != &clients {
		t.Errorf("%+v", cfg)
	}
	for _, bad := range []struct {
		cfg  DiscoveryConfig
		says string
	}{
		{DiscoveryConfig{Namespaces: []string{"Shop"}}, `namespaces: "Shop"`},
		{DiscoveryConfig{Namespaces: []string{"shop", "shop"}}, `namespaces: "shop" is there twice`},
		{DiscoveryConfig{Kinds: []string{"deployment"}}, `kinds: "deployment" cannot be discovered`},
		{DiscoveryConfig{Kinds: []string{"Deployment", "Deployment"}}, `kinds: "Deployment" is there twice`},
	} {
		if err := bad.cfg.Validate(); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%+v: %v, want %q", bad.cfg, err, bad.says)
		}
	}
}
