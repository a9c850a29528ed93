package realtest

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// Proxy stands before the API server until the test ends and passes requests
// on, but for those that fault takes for itself by returning true. While the API
// server is gone, connections end without an answer, as its own would. It
// returns a kubeconfig with the token.
func (k *Kubernetes) Proxy(t testing.TB, token string, fault func(http.ResponseWriter, *http.Request) bool) (kubeconfig string) {
	t.Helper()
	roots, err := k.roots()
	if err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	pass := &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:    transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	// client-go gives no token away without TLS.
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fault(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		transport.CloseIdleConnections()
	})
	own := filepath.Join(t.TempDir(), "proxy.crt")
	if err := os.WriteFile(own, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return KubeconfigFor(t, srv.URL, own, token)
}
