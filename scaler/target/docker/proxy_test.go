package docker

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// engineHandler passes requests on to the Engine, but for those that fault
// takes for itself by returning true.
func engineHandler(t testing.TB, host string, fault func(http.ResponseWriter, *http.Request) bool) http.Handler {
	t.Helper()
	path, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		realtest.SkipOrFail(t, "the proxy needs an Engine at a socket of this machine, not %s", host)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	proxy.Transport = transport
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fault(w, r) {
			proxy.ServeHTTP(w, r)
		}
	})
}

// faulty puts a proxy before the Engine and returns its host.
func faulty(t testing.TB, host string, fault func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: ln, Config: &http.Server{Handler: engineHandler(t, host, fault)}}
	srv.Start()
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return "unix://" + path
}

// answers returns a fault that gives every request but pings this answer.
func answers(status int, message string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/_ping") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"message":"` + message + `"}`))
		return true
	}
}

// hangs is a fault that takes requests and never answers.
func hangs(_ http.ResponseWriter, r *http.Request) bool {
	<-r.Context().Done()
	return true
}

// cut is a fault that breaks the connection instead of answering.
func cut(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }
