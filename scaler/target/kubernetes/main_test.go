package kubernetes

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestMain(m *testing.M) {
	realtest.Parallel(4)
	os.Exit(m.Run())
}

// converge is how long the controllers may take for what the tests ask of them.
const converge = time.Minute

// testCluster is a cluster that tests share.
type testCluster struct {
	*realtest.Kubernetes
	clients    Clients
	kubeconfig string // the administrator's
}

func startCluster(t *testing.T) *testCluster {
	t.Helper()
	k := realtest.StartKubernetes(t)
	return &testCluster{Kubernetes: k, kubeconfig: k.Kubeconfig(t, realtest.KubernetesAdmin+"-token")}
}

// object is the path of an object in the namespace default.
func object(group, resource, name string) string {
	return "/apis/" + group + "/namespaces/default/" + resource + "/" + name
}

// create makes a workload of the kind, with pods that are ready after that
// time, and returns its name.
func (c *testCluster) create(t testing.TB, apiVersion, kind string, replicas int, readyAfter string) (name string) {
	t.Helper()
	name = "w-" + strings.ToLower(rand.Text()[:8])
	c.Create(t, fmt.Sprintf(`
apiVersion: %s
kind: %s
metadata: { name: %s }
spec:
  replicas: %d
  selector: { matchLabels: { app: %[3]s } }
  template:
    metadata: { labels: { app: %[3]s }, annotations: { %[5]s: %[6]q } }
    spec:
      containers: [ { name: web, image: example/web } ]
`, apiVersion, kind, name, replicas, realtest.PodReadyAfter, readyAfter))
	return name
}

// setReplicas changes the number as someone else would.
func (c *testCluster) setReplicas(t testing.TB, path string, n int) {
	t.Helper()
	c.Call(t, http.MethodPatch, path+"/scale", map[string]any{"spec": map[string]any{"replicas": n}}, nil)
}

// deployment is a Deployment of the namespace default as a target, seen by the
// administrator.
func (c *testCluster) deployment(name string) *Config {
	return &Config{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "default", Name: name, Kubeconfig: c.kubeconfig, clients: &c.clients}
}

// proxied is deployment through a proxy that passes requests on, but for those
// that fault takes for itself by returning true.
func (c *testCluster) proxied(t testing.TB, name string, fault func(http.ResponseWriter, *http.Request) bool) *Config {
	t.Helper()
	cfg := c.deployment(name)
	cfg.Kubeconfig = c.Proxy(t, realtest.KubernetesAdmin+"-token", fault)
	return cfg
}

// hangs is a fault that takes requests and never answers.
func hangs(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

// build builds a target that the caller closes.
func build(t testing.TB, cfg *Config) target.Target {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "web", Name: "cluster", Logger: log.NewNopLogger()})
	if err != nil {
		t.Fatal(err)
	}
	return tgt
}

// workloadOf is the target without what only some kinds have.
func workloadOf(tgt target.Target) *workload {
	if p, ok := tgt.(podsTarget); ok {
		return p.workload
	}
	return tgt.(*workload)
}

// open builds a target that the test's end closes.
func open(t testing.TB, cfg *Config) target.Target {
	t.Helper()
	tgt := build(t, cfg)
	t.Cleanup(func() {
		if err := tgt.(target.Closer).Close(); err != nil {
			t.Error(err)
		}
	})
	return tgt
}

// settle waits until the target is in a state.
func settle(t testing.TB, tgt target.Target, want target.State) {
	t.Helper()
	realtest.Eventually(t, converge, 100*time.Millisecond, fmt.Sprintf("it is %+v", want), func() error {
		st, err := tgt.Current(t.Context())
		if err == nil && st != want {
			err = fmt.Errorf("it is %+v", st)
		}
		return err
	})
}

// scale asks for n replicas and waits for them.
func scale(t testing.TB, tgt target.Target, n int) {
	t.Helper()
	ask(t, tgt, n)
	settle(t, tgt, target.State{Requested: n, Ready: n})
}

// ask asks for n replicas, again after conflicts: controllers write too.
func ask(t testing.TB, tgt target.Target, n int) {
	t.Helper()
	realtest.Eventually(t, converge, 50*time.Millisecond, fmt.Sprintf("%d replicas are accepted", n), func() error {
		err := tgt.Scale(t.Context(), n)
		switch target.KindOf(err) {
		case target.KindNoOp:
			return nil
		case "", target.KindConflict:
			return err
		default:
			t.Fatal(err)
			return nil
		}
	})
}

// wantKind checks an error's kind, and that it says something.
func wantKind(t testing.TB, what string, err error, want target.Kind, says string) {
	t.Helper()
	if target.KindOf(err) != want || (err != nil && !strings.Contains(err.Error(), says)) {
		t.Errorf("%s: %v (kind %q), want kind %q and %q", what, err, target.KindOf(err), want, says)
	}
}
