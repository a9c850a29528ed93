package kubernetes

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

const widgetVersion = "example.com/v1"

// defineWidgets makes Widgets a custom resource with a scale subresource, and
// plays their controller until the test ends.
func (c *testCluster) defineWidgets(t testing.TB) {
	t.Helper()
	c.Create(t, definition("example.com", "Widget", "Namespaced", ""))
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				c.reconcileWidgets()
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

// definition is that of a custom resource which anything goes in.
func definition(group, kind, scope, selectorPath string) string {
	if selectorPath == "" {
		selectorPath = "labelSelectorPath: .status.selector"
	}
	return strings.NewReplacer("GROUP", group, "KIND", kind, "LOWER", strings.ToLower(kind), "SCOPE", scope, "SELECTOR", selectorPath).Replace(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: LOWERs.GROUP }
spec:
  group: GROUP
  scope: SCOPE
  names: { kind: KIND, plural: LOWERs, singular: LOWER, listKind: KINDList }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, SELECTOR }
`)
}

// createWidget makes a Widget of one replica and returns its name. Its
// controller does not count which are ready.
func (c *testCluster) createWidget(t *testing.T, readyAfter string) string {
	t.Helper()
	name := "w-" + strings.ToLower(rand.Text()[:8])
	c.Create(t, `{ apiVersion: example.com/v1, kind: Widget, metadata: { name: `+name+` }, spec: { replicas: 1, readyAfter: `+readyAfter+` } }`)
	return name
}

// widget is what the controller reads of one, and of a pod.
type widget struct {
	Metadata struct {
		Name, DeletionTimestamp string
		Labels                  map[string]string
	}
	Spec struct {
		Replicas   int
		ReadyAfter string
	}
}

type widgetList struct{ Items []widget }

// reconcileWidgets makes and deletes pods until each Widget has its number. What
// does not work is done the next time.
func (c *testCluster) reconcileWidgets() {
	const pods = "/api/v1/namespaces/default/pods"
	var widgets, all widgetList
	if c.Try(http.MethodGet, object(widgetVersion, "widgets", ""), nil, &widgets) != nil ||
		c.Try(http.MethodGet, pods+"?labelSelector=widget", nil, &all) != nil {
		return
	}
	alive := make(map[string][]string)
	for _, p := range all.Items {
		if w := p.Metadata.Labels["widget"]; p.Metadata.DeletionTimestamp == "" {
			alive[w] = append(alive[w], p.Metadata.Name)
		}
	}
	for _, w := range widgets.Items {
		name := w.Metadata.Name
		have := alive[name]
		for range w.Spec.Replicas - len(have) {
			_ = c.Try(http.MethodPost, pods, map[string]any{
				"apiVersion": "v1", "kind": "Pod",
				"metadata": map[string]any{
					"generateName": name + "-", "labels": map[string]any{"widget": name},
					"annotations": map[string]any{realtest.PodReadyAfter: w.Spec.ReadyAfter},
				},
				"spec": map[string]any{"containers": []any{map[string]any{"name": "web", "image": "example/web"}}},
			}, nil)
		}
		for _, surplus := range have[min(len(have), w.Spec.Replicas):] {
			_ = c.Try(http.MethodDelete, pods+"/"+surplus, nil, nil)
		}
		// With the number just seen to, not the one found: a second write, once
		// the pods are ready, would be a conflict for whoever scales then.
		_ = c.Try(http.MethodPatch, object(widgetVersion, "widgets", name)+"/status", map[string]any{
			"status": map[string]any{"replicas": w.Spec.Replicas, "selector": "widget=" + name},
		}, nil)
	}
}

// testReadyReplicas looks at custom resources whose controller says more, or
// less, than where the pods are.
func testReadyReplicas(t *testing.T, c *testCluster) {
	c.Create(t, definition("example.org", "Gadget", "Cluster", " ")+`
---
{ apiVersion: example.org/v1, kind: Gadget, metadata: { name: g }, spec: { replicas: 5 } }
`)
	g := open(t, &Config{APIVersion: "example.org/v1", Kind: "Gadget", Name: "g", Kubeconfig: c.kubeconfig, clients: &c.clients})
	// No status yet: nothing exists.
	settle(t, g, target.State{Requested: 5})
	status := func(fields map[string]any) {
		c.Call(t, http.MethodPatch, "/apis/example.org/v1/gadgets/g/status", map[string]any{"status": fields}, nil)
	}
	// Some exist, and neither a number nor a selector says which are ready.
	status(map[string]any{"replicas": 4})
	_, err := g.Current(t.Context())
	wantKind(t, "Current without any word of readiness", err, target.KindTemporary, "readyReplicas")
	status(map[string]any{"readyReplicas": 3})
	settle(t, g, target.State{Requested: 5, Ready: 3})
	status(map[string]any{"readyReplicas": "many"})
	_, err = g.Current(t.Context())
	wantKind(t, "Current of a word for a number", err, target.KindTemporary, "many")
	if err := g.Scale(t.Context(), 2); err != nil {
		t.Error(err)
	}
	status(map[string]any{"readyReplicas": 0})
	settle(t, g, target.State{Requested: 2})

	inOne := &Config{APIVersion: "example.org/v1", Kind: "Gadget", Namespace: "default", Name: "g", Kubeconfig: c.kubeconfig, clients: &c.clients}
	_, err = open(t, inOne).Current(t.Context())
	wantKind(t, "Current with a namespace too many", err, target.KindPermanent, "in no namespace")
}
