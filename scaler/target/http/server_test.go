package http

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// pool is the other side: a server that speaks the contract of
// docs/http-target.md and knows nothing of this package.
type pool struct {
	start    time.Duration // from a replica's start to its being ready
	max      int           // 0: no limit
	versions bool          // it gives ETags and asks for them

	mu      sync.Mutex // guards what follows
	ready   []time.Time
	version int
	puts    []string // bodies
}

func (p *pool) set(n int) {
	for len(p.ready) < n {
		p.ready = append(p.ready, time.Now().Add(p.start))
	}
	p.ready = p.ready[:n]
	p.version++
}

func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	etag := fmt.Sprintf(`"v%d"`, p.version)
	if r.Method == http.MethodGet {
		answer := map[string]any{"requested": len(p.ready), "ready": 0}
		for _, at := range p.ready {
			if !at.After(time.Now()) {
				answer["ready"] = answer["ready"].(int) + 1
			}
		}
		if p.max > 0 {
			answer["max"] = p.max
		}
		if p.versions {
			w.Header().Set("ETag", etag)
		}
		_ = json.NewEncoder(w).Encode(answer)
		return
	}
	var ask map[string]int
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || r.Method != http.MethodPut || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "not the contract", http.StatusUnprocessableEntity)
		return
	}
	desired, ok := ask["desired"]
	p.puts = append(p.puts, fmt.Sprint(ask))
	switch {
	case !ok || desired < 0:
		http.Error(w, "no desired", http.StatusUnprocessableEntity)
	case p.versions && r.Header.Get("If-Match") == "":
		http.Error(w, "no If-Match", http.StatusPreconditionRequired)
	case p.versions && r.Header.Get("If-Match") != etag:
		http.Error(w, "changed meanwhile", http.StatusPreconditionFailed)
	case p.max > 0 && desired > p.max:
		http.Error(w, "no room", http.StatusInsufficientStorage)
	default:
		p.set(desired)
		w.WriteHeader(http.StatusNoContent)
	}
}

// serve returns the URL of a server on loopback.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL
}

// unreachable returns the URL of a port that nobody listens on.
func unreachable(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

// hangs takes requests and never answers. A server sees that the client is
// gone only once it has read all that it sent.
func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// answers gives every request the same answer; headers are pairs.
func answers(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// configured returns a valid configuration for the URL; more is YAML.
func configured(t testing.TB, url, more string) *Config {
	t.Helper()
	cfg := NewConfig().(*Config)
	if err := decode(cfg, fmt.Sprintf("url: %q\n%s", url, more)); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// open returns a target on a configuration, for a test of its own.
func open(t testing.TB, url, more string) target.Target {
	t.Helper()
	tgt, err := configured(t, url, more).New(target.Options{Policy: "shop", Name: "east", ScaleTarget: "shop_web"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tgt.(target.Closer).Close() })
	return tgt
}
