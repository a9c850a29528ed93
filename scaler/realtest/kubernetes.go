package realtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// The users of a cluster, by name; the token of each is its name with "-token".
const (
	// KubernetesAdmin may do everything.
	KubernetesAdmin = "admin"
	// KubernetesNobody may do nothing that not everyone may.
	KubernetesNobody = "nobody"
)

// Kubernetes is a cluster without machines: etcd, an API server and the
// controllers of Deployments, ReplicaSets and StatefulSets, each a process on
// loopback. Pods are bound and marked Running and Ready as a kubelet would, see
// [PodReadyAfter], and nothing of them runs.
type Kubernetes struct {
	// URL is where the API server listens, without a slash at the end.
	URL string
	// CAFile has the certificate it is to be verified with.
	CAFile string
	// The processes. An API server that was ended and started again has all
	// that it had.
	Etcd, APIServer, ControllerManager *Process

	dir    string
	client *http.Client // as admin
}

// StartKubernetes runs a cluster until the test ends, and returns once it
// takes requests. The test skips or fails if the programs were not built.
func StartKubernetes(t testing.TB) *Kubernetes {
	t.Helper()
	etcd, apiserver, controllers := Tool(t, "etcd"), Tool(t, "kube-apiserver"), Tool(t, "kube-controller-manager")
	k := &Kubernetes{dir: t.TempDir(), URL: "https://127.0.0.1:" + strconv.Itoa(FreePort(t))}
	k.CAFile = filepath.Join(k.dir, "certs", "apiserver.crt") // It makes and signs that by itself.
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := writeFiles(k.dir, map[string]string{
		"service-accounts.pem": key,
		"tokens.csv": fmt.Sprintf("%[1]s-token,%[1]s,1,system:masters\n%[2]s-token,%[2]s,2\n",
			KubernetesAdmin, KubernetesNobody),
	}); err != nil {
		t.Fatal(err)
	}

	store, peers := loopback(t), loopback(t)
	k.Etcd = Start(t, etcd, "--data-dir="+filepath.Join(k.dir, "etcd"), "--log-level=warn", "--unsafe-no-fsync",
		"--listen-client-urls="+store, "--advertise-client-urls="+store, "--listen-peer-urls="+peers,
		"--initial-advertise-peer-urls="+peers, "--initial-cluster=default="+peers)
	k.Etcd.WaitHTTP(t, store+"/health")

	k.APIServer = Start(t, apiserver, "--etcd-servers="+store, "--bind-address=127.0.0.1",
		"--secure-port="+k.URL[len("https://127.0.0.1:"):], "--cert-dir="+filepath.Dir(k.CAFile),
		"--token-auth-file="+filepath.Join(k.dir, "tokens.csv"), "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+filepath.Join(k.dir, "service-accounts.pem"),
		"--service-account-signing-key-file="+filepath.Join(k.dir, "service-accounts.pem"),
		"--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none",
		// No controller makes the service accounts that pods would need.
		"--disable-admission-plugins=ServiceAccount")
	k.waitReady(t)

	k.ControllerManager = Start(t, controllers, "--kubeconfig="+k.Kubeconfig(t, KubernetesAdmin+"-token"),
		"--controllers=deployment-controller,replicaset-controller,statefulset-controller",
		"--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(FreePort(t)),
		"--cert-dir="+filepath.Join(k.dir, "controllers"), "--authentication-skip-lookup",
		"--kube-api-qps=500", "--kube-api-burst=500")
	k.startKubelet(t)
	return k
}

// waitReady waits until the API server says that it is ready, which is once it
// has its own roles, and has the namespace default, a moment later.
func (k *Kubernetes) waitReady(t testing.TB) {
	t.Helper()
	Eventually(t, startTimeout, 100*time.Millisecond, "the API server is ready", func() error {
		select {
		case <-k.APIServer.Exited():
			t.Fatal("the API server ended before it was ready")
		default:
		}
		if k.client == nil {
			c, err := k.newClient(KubernetesAdmin + "-token")
			if err != nil {
				return err
			}
			k.client = c
			t.Cleanup(c.CloseIdleConnections)
		}
		if err := k.Try(http.MethodGet, "/readyz", nil, nil); err != nil {
			return err
		}
		return k.Try(http.MethodGet, "/api/v1/namespaces/default", nil, nil)
	})
}

// Kubeconfig writes a kubeconfig with a token, such as "nobody-token", and
// returns its path.
func (k *Kubernetes) Kubeconfig(t testing.TB, token string) string {
	t.Helper()
	return KubeconfigFor(t, k.URL, k.CAFile, token)
}

// KubeconfigFor is Kubernetes.Kubeconfig for another server, such as a proxy
// before the API server. Its only context is called test.
func KubeconfigFor(t testing.TB, url, caFile, token string) string {
	t.Helper()
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{"kubeconfig": fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: test
clusters: [ { name: test, cluster: { server: %q, certificate-authority: %q } } ]
users: [ { name: test, user: { token: %q } } ]
contexts: [ { name: test, context: { cluster: test, user: test } } ]
`, url, caFile, token)}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "kubeconfig")
}

func loopback(t testing.TB) string {
	t.Helper()
	return "http://127.0.0.1:" + strconv.Itoa(FreePort(t))
}

// signingKey is what service accounts' tokens are signed with.
func signingKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})), nil
}
