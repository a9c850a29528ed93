package main_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// podLine runs the rest of its line as in a pod: with the files of its service
// account, which are in $1, where the kubelet mounts them, and with no other
// credentials. Its mount is nobody else's.
const podLine = `
set -e
mount -t tmpfs tmpfs /var/run
mkdir -p /var/run/secrets/kubernetes.io
cp -r "$1" /var/run/secrets/kubernetes.io/serviceaccount
export KUBERNETES_SERVICE_HOST="$2" KUBERNETES_SERVICE_PORT="$3" HOME=/nonexistent
unset KUBECONFIG
shift 3
exec "$@"
`

// testKubernetesInCluster runs under the documented role, as the service account
// of the pod that it is in, and is told nothing of where the cluster is.
func testKubernetesInCluster(t *testing.T, k *realtest.Kubernetes) {
	unshare := realtest.Tool(t, "unshare")
	if os.Getuid() != 0 {
		realtest.SkipOrFail(t, "needs root, for a mount of its own")
	}
	k.Create(t, realtest.Documented(t, "../../docs/kubernetes.md", "## What it may do")+`
---
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
	ca, err := os.ReadFile(k.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	account := t.TempDir()
	for name, content := range map[string]string{
		"token": k.ServiceAccountToken(t, "alertscaler", "alertscaler"), "ca.crt": string(ca), "namespace": "alertscaler",
	} {
		if err := os.WriteFile(filepath.Join(account, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	s := startServerBy(t, []string{unshare, "--mount", "sh", "-c", podLine, "sh", account, at.Hostname(), at.Port()}, realtest.FreePort(t), `
global: { evaluation_interval: 500ms }
policies:
  - name: web
    min: 3
    max: 10
    scale_up: { cooldown: 1s }
    targets:
      - name: cluster
        kubernetes: { namespace: shop, name: web }
`)
	s.eventually(time.Minute, "the minimum", "web", replicas(3))
	s.fire("up", "web")
	s.eventually(time.Minute, "one more", "web", replicas(4))
}
