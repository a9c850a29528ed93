package kubernetes

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// testNoRoom asks for more than the quota of a namespace allows.
func testNoRoom(t *testing.T, c *testCluster) {
	for _, kind := range []string{"Deployment", "StatefulSet", "ReplicaSet"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			namespace := "n-" + strings.ToLower(rand.Text()[:8])
			c.Create(t, fmt.Sprintf(`
{ apiVersion: v1, kind: Namespace, metadata: { name: %[1]s } }
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: shop, namespace: %[1]s }
spec: { hard: { pods: 2 } }
---
apiVersion: apps/v1
kind: %[2]s
metadata: { name: web, namespace: %[1]s }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: web, image: example/web } ] }
`, namespace, kind))
			// Its controller would do this.
			allow := func(pods int, used int) {
				path := "/api/v1/namespaces/" + namespace + "/resourcequotas/shop"
				c.Call(t, http.MethodPatch, path, map[string]any{"spec": map[string]any{"hard": map[string]any{"pods": pods}}}, nil)
				c.Call(t, http.MethodPatch, path+"/status", map[string]any{"status": map[string]any{
					"hard": map[string]any{"pods": strconv.Itoa(pods)}, "used": map[string]any{"pods": strconv.Itoa(used)},
				}}, nil)
			}
			allow(2, 0)
			w := open(t, &Config{APIVersion: "apps/v1", Kind: kind, Namespace: namespace, Name: "web", Kubeconfig: c.kubeconfig, clients: &c.clients})
			ask(t, w, 4)
			stands(w)
			st := fails(t, w, 2)
			if st.Requested != 4 || st.Ready != 2 || target.KindOf(st.Failed) != target.KindQuota || !strings.Contains(st.Failed.Error(), "exceeded quota: shop") {
				t.Errorf("Current = %+v, want 2 of 4, and which quota is used up", st)
			}
			// To take back what never came has not failed.
			ask(t, w, 2)
			settle(t, w, target.State{Requested: 2, Ready: 2})

			// What was said of an earlier number says nothing of this one.
			allow(4, 2)
			ask(t, w, 4)
			realtest.Eventually(t, converge, 20*time.Millisecond, "it has 4", func() error {
				st, err := w.Current(t.Context())
				switch {
				case err != nil:
					return err
				case st.Failed != nil:
					t.Errorf("with room for all: %v", st.Failed)
				case st.Ready != 4:
					return fmt.Errorf("it is %+v", st)
				}
				return nil
			})
		})
	}
}

// stands makes the last number one that was asked for long ago.
func stands(tgt target.Target) {
	w := workloadOf(tgt)
	last := *w.last.Load()
	last.at = time.Now().Add(-time.Hour)
	w.last.Store(&last)
}

// fails waits until the target says that what was asked for came to nothing, but
// for those that are ready.
func fails(t *testing.T, tgt target.Target, ready int) (st target.State) {
	t.Helper()
	realtest.Eventually(t, converge, 100*time.Millisecond, "it says that there is no room", func() (err error) {
		if st, err = tgt.Current(t.Context()); err == nil && (st.Failed == nil || st.Ready != ready) {
			return fmt.Errorf("it is %+v", st)
		}
		return err
	})
	return st
}

// testUnschedulable has pods that no node has room for.
func testUnschedulable(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 0, realtest.PodUnschedulable)
	at := func(timeout time.Duration) *Config {
		cfg := c.deployment(name)
		d := model.Duration(timeout)
		cfg.UnschedulableTimeout = &d
		return cfg
	}
	patient, hasty := open(t, at(time.Hour)), open(t, at(time.Second))
	ask(t, hasty, 2)
	stands(hasty)
	st := fails(t, hasty, 0)
	if st.Requested != 2 || st.Ready != 0 || target.KindOf(st.Failed) != target.KindQuota || !strings.Contains(st.Failed.Error(), "Insufficient memory") {
		t.Errorf("Current = %+v, want what there is not enough of", st)
	}
	// A node may still be on its way.
	stands(patient)
	settle(t, patient, target.State{Requested: 2})
	// Who may not list pods does not know.
	cfg := c.proxied(t, name, func(w http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/pods") && answer(403, "Forbidden", "pods is forbidden")(w, r)
	})
	blind := open(t, cfg)
	stands(blind)
	settle(t, blind, target.State{Requested: 2})
}
