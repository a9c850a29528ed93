package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// saysOf wants a policy's first target to be unreadable for a reason.
func saysOf(reason string) func(status.Policy) error {
	return func(st status.Policy) error {
		if got := st.Targets[0].Error; !strings.Contains(got, reason) {
			return fmt.Errorf("its error is %q", got)
		}
		return nil
	}
}

// testKubernetesRenewed replaces the token in a kubeconfig and reloads: the
// configuration is what it was, the credentials are not.
func testKubernetesRenewed(t *testing.T, k *realtest.Kubernetes) {
	kubeconfig := k.Kubeconfig(t, realtest.KubernetesNobody+"-token")
	s := startServer(t, "global: { evaluation_interval: 500ms }\npolicies:"+stepping("web", deployment(t, k), kubeconfig))
	s.eventually(time.Minute, "the old token may not", "web", saysOf("forbidden"))
	renewed, err := os.ReadFile(k.Kubeconfig(t, realtest.KubernetesAdmin+"-token"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kubeconfig, renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := s.post("/-/reload", ""); code != http.StatusOK {
		t.Fatalf("reload: %d %s", code, text)
	}
	s.eventually(time.Minute, "the new token may", "web", replicas(1))
}

// testKubernetesHangingPlugin has one policy's kubeconfig name a program that
// hangs. It says so, the others go on, and the server ends when it is told to.
func testKubernetesHangingPlugin(t *testing.T, k *realtest.Kubernetes) {
	dir := t.TempDir()
	plugin, hanging := filepath.Join(dir, "plugin"), filepath.Join(dir, "kubeconfig")
	for file, text := range map[string]string{
		plugin: "#!/bin/sh\nsleep 600\n",
		hanging: fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
clusters: [ { name: test, cluster: { server: %q, certificate-authority: %q } } ]
users: [ { name: test, user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: %s, interactiveMode: Never } } } ]
contexts: [ { name: test, context: { cluster: test, user: test } } ]
`, k.URL, k.CAFile, plugin),
	} {
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	healthy := deployment(t, k)
	s := startServer(t, "global: { evaluation_interval: 500ms }\npolicies:"+
		stepping("hung", deployment(t, k), hanging)+stepping("web", healthy, k.Kubeconfig(t, realtest.KubernetesAdmin+"-token")))
	s.eventually(time.Minute, "the hung one says what it waits for", "hung", saysOf("exec plugin "+plugin))
	s.eventually(time.Minute, "one replica", "web", replicas(1))
	s.fire("up", "web")
	s.oneMove(k, "web", healthy)
	s.Stop(t)
	if strings.Contains(s.Log(), "panic") {
		t.Error(s.Log())
	}
}

// testKubernetesNoRoom: what the quota of a namespace does not let the first
// target have, the second one gets.
func testKubernetesNoRoom(t *testing.T, k *realtest.Kubernetes) {
	k.Create(t, `
{ apiVersion: v1, kind: Namespace, metadata: { name: small } }
---
{ apiVersion: v1, kind: ResourceQuota, metadata: { name: two-pods, namespace: small }, spec: { hard: { pods: 2 } } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: small }
spec:
  replicas: 0
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: web, image: example/web } ] }
`)
	// The controller of quotas would do this.
	k.Call(t, http.MethodPatch, "/api/v1/namespaces/small/resourcequotas/two-pods/status", map[string]any{
		"status": map[string]any{"hard": map[string]any{"pods": "2"}, "used": map[string]any{"pods": "0"}},
	}, nil)
	second, admin := deployment(t, k), k.Kubeconfig(t, realtest.KubernetesAdmin+"-token")
	s := startServer(t, fmt.Sprintf(`
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: 1
    max: 5
    alert_step: { up: 4 }
    scale_up: { cooldown: 10m }
    targets:
      - { name: small, kubernetes: { namespace: small, name: web, kubeconfig: %q } }
      - { name: second, kubernetes: { namespace: default, name: %s, kubeconfig: %q } }
`, admin, second, admin))
	s.eventually(time.Minute, "one replica, of the second", "web", replicas(1))
	s.fire("up", "web")
	s.eventually(2*time.Minute, "all of them, and no more of the first than it has room for", "web", func(st status.Policy) error {
		if small, second := st.Targets[0], st.Targets[1]; small.Requested != 2 || small.Ready != 2 || second.Requested != 3 || second.Ready != 3 {
			return fmt.Errorf("%d of %d and %d of %d are ready", small.Ready, small.Requested, second.Ready, second.Requested)
		}
		return nil
	})
	if got := s.metric(`alertscaler_action_failures_total{policy="web",reason="quota",target="small"}`); got != "1" {
		t.Errorf("%s failures for want of quota, want 1", got)
	}
}
