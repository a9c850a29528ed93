package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// TestPrometheusIsNotRedirected: what it is asked with stays with it, and what
// another server says is no answer.
func TestPrometheusIsNotRedirected(t *testing.T) {
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"status": "success", "data": {"resultType": "vector", "result": []}}`)
	}))
	defer other.Close()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.RequestURI, status)
		}))
		defer source.Close()
		file := filepath.Join(t.TempDir(), "alertscaler.yml")
		text := fmt.Sprintf(`
prometheus: { url: %[1]q, authorization: { credentials: s3cret } }
policies: [{ name: web, max: 3, targets: [{ name: local, process: { command: [sleep, "1"] } }] }]
`, source.URL)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.LoadFile(file, install.Registry())
		if err != nil {
			t.Fatal(err)
		}
		built, err := newUsages(prometheus.NewRegistry(), time.Now, log.NewNopLogger()).build(c)
		if err != nil {
			t.Fatal(err)
		}
		reader := built.(*usage.Reader)
		defer reader.Close()
		_, err = reader.Loads(t.Context(), time.Now(), "up", "instance")
		if err == nil || !strings.Contains(err.Error(), other.URL) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the other server was asked %d times", n)
	}
}
