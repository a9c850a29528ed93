package discovery

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestWorkloadsComeAndGo is the life of an annotated Deployment, as a manager
// sees it on a real API server.
func TestWorkloadsComeAndGo(t *testing.T) {
	t.Parallel()
	k := realtest.StartKubernetes(t)
	w := newWorld(t, fmt.Sprintf(`
policy_templates: [ { name: default, max: 5 } ]
discovery:
  - name: cluster
    kubernetes: { kubeconfig: %q, namespaces: [default] }
    refresh_interval: 200ms
    template: default
`, k.Kubeconfig(t, realtest.KubernetesAdmin+"-token")))
	k.Create(t, `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, annotations: { alertscaler.enable: "true" } }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: web, image: example/web } ] }
`)
	w.want("it appears", map[string]int{"default:web": 5})
	w.set(func() {
		if got := made(w.inForce)["default:web"].ScaleTarget; got != "default/web" {
			t.Errorf("scale_target %q, want what the shipped rules say", got)
		}
	})
	const path = "/apis/apps/v1/namespaces/default/deployments/web"
	annotate := func(key, value string) {
		t.Helper()
		k.Call(t, http.MethodPatch, path, map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}}, nil)
	}
	annotate("alertscaler.max", "8")
	w.want("an annotation changes", map[string]int{"default:web": 8})
	annotate("alertscaler.maximum", "9")
	w.problem("Deployment default/web", `alertscaler.maximum="9": is not known`)
	w.want("a bad annotation leaves what was", map[string]int{"default:web": 8})

	k.APIServer.Kill()
	realtest.Eventually(t, soon, 100*time.Millisecond, "the outage is seen", func() error {
		if err := w.manager.Statuses()[0].LastError; err == nil {
			return errors.New("no error yet")
		}
		return nil
	})
	w.want("an outage takes nothing", map[string]int{"default:web": 8})
	k.APIServer.Restart(t)
	realtest.Eventually(t, soon, 100*time.Millisecond, "the outage is over", func() error {
		return w.manager.Statuses()[0].LastError
	})
	k.Call(t, http.MethodDelete, path, nil, nil)
	w.want("it vanishes", map[string]int{"default:web": 0})
}
