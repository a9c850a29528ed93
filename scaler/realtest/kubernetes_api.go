package realtest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// bearer makes requests with a token, and says of patches what they are.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	if r.Method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	return b.next.RoundTrip(r)
}

// roots are what the API server is verified with.
func (k *Kubernetes) roots() (*x509.CertPool, error) {
	ca, err := os.ReadFile(k.CAFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s has no certificate yet", k.CAFile)
	}
	return roots, nil
}

func (k *Kubernetes) newClient(token string) (*http.Client, error) {
	roots, err := k.roots()
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: bearer{token, &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 16,
	}}}, nil
}

// Call makes a request as admin, with a JSON body unless in is nil, and decodes
// the answer into out unless that is nil. A PATCH is a merge patch.
func (k *Kubernetes) Call(t testing.TB, method, path string, in, out any) {
	t.Helper()
	if err := k.Try(method, path, in, out); err != nil {
		t.Fatal(err)
	}
}

// Try is Call for requests that may be refused, and for goroutines.
func (k *Kubernetes) Try(method, path string, in, out any) error {
	return call(k.client, method, k.URL+path, in, out)
}

// Create makes what the manifests say, YAML documents one after the other, in
// the namespace default where they name none. It waits until the server knows
// their kinds: those of a definition come a moment after it.
func (k *Kubernetes) Create(t testing.TB, manifests string) {
	t.Helper()
	docs := yaml.NewDecoder(strings.NewReader(manifests))
	for {
		var m map[string]any
		err := docs.Decode(&m)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("decode the manifests: %v", err)
		}
		var path string
		Eventually(t, startTimeout, 100*time.Millisecond, fmt.Sprintf("the server knows %v", m["kind"]), func() error {
			path, err = k.collection(m)
			return err
		})
		k.Call(t, http.MethodPost, path, m, nil)
	}
}

// collection returns where an object of the manifest is created.
func (k *Kubernetes) collection(m map[string]any) (string, error) {
	version, _ := m["apiVersion"].(string)
	root := "/apis/" + version
	if !strings.Contains(version, "/") {
		root = "/api/" + version
	}
	var list struct {
		Resources []struct {
			Name, Kind string
			Namespaced bool
		}
	}
	if err := k.Try(http.MethodGet, root, nil, &list); err != nil {
		return "", err
	}
	for _, r := range list.Resources {
		if r.Kind != m["kind"] || strings.Contains(r.Name, "/") {
			continue
		}
		if !r.Namespaced {
			return root + "/" + r.Name, nil
		}
		namespace := "default"
		if meta, ok := m["metadata"].(map[string]any); ok {
			if n, ok := meta["namespace"].(string); ok {
				namespace = n
			}
		}
		return root + "/namespaces/" + namespace + "/" + r.Name, nil
	}
	return "", fmt.Errorf("%s has no kind %v", version, m["kind"])
}

// isStatus reports whether err is an answer with that status.
func isStatus(err error, code int) bool {
	s, ok := errors.AsType[*statusError](err)
	return ok && s.code == code
}

// ServiceAccountToken returns a token of a service account that exists.
func (k *Kubernetes) ServiceAccountToken(t testing.TB, namespace, name string) string {
	t.Helper()
	request := map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": map[string]any{}}
	var answer struct{ Status struct{ Token string } }
	k.Call(t, http.MethodPost, "/api/v1/namespaces/"+namespace+"/serviceaccounts/"+name+"/token", request, &answer)
	return answer.Status.Token
}
