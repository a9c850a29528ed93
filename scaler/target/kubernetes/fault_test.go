package kubernetes

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// answer returns a fault that gives every request this answer, in the API
// server's own form.
func answer(code int, reason, message string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":%q,"message":%q,"code":%d}`, reason, message, code)
		return true
	}
}

// testAnswers has the API server answer badly, and looks at what becomes of it.
func testAnswers(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	for _, test := range []struct {
		name  string
		fault func(http.ResponseWriter, *http.Request) bool
		want  target.Kind
		says  string
	}{
		{"bad request", answer(400, "BadRequest", "what is that"), target.KindPermanent, "what is that"},
		{"unauthorized", answer(401, "Unauthorized", "who are you"), target.KindUnauthorized, "who are you"},
		{"quota", answer(403, "Forbidden", `deployments "web" is forbidden: exceeded quota: shop`), target.KindQuota, "exceeded quota"},
		{"not found", answer(404, "NotFound", "no such thing"), target.KindNotFound, "no such thing"},
		{"conflict", answer(409, "Conflict", "has been modified"), target.KindConflict, "has been modified"},
		{"invalid", answer(422, "Invalid", "denied by policy"), target.KindPermanent, "denied by policy"},
		{"internal", answer(500, "InternalError", "no leader"), target.KindTemporary, "no leader"},
		{"unavailable", answer(503, "ServiceUnavailable", "shutting down"), target.KindTemporary, "shutting down"},
		{"timeout", answer(504, "Timeout", "took too long"), target.KindTemporary, "took too long"},
		{"cut within", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"kind":"Scale","api`)
			return true
		}, target.KindTemporary, "HTTP status 200"},
		{"a proxy's page", func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<h1>Bad Gateway</h1>", http.StatusBadGateway)
			return true
		}, target.KindTemporary, "HTTP status 502"},
		{"cut", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, target.KindTemporary, "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			scaling := func(w http.ResponseWriter, r *http.Request) bool {
				return strings.HasSuffix(r.URL.Path, "/scale") && test.fault(w, r)
			}
			// From the first request on, and once the kind is known.
			for _, fault := range []func(http.ResponseWriter, *http.Request) bool{test.fault, scaling} {
				tgt := open(t, c.proxied(t, name, fault))
				_, err := tgt.Current(t.Context())
				wantKind(t, "Current", err, test.want, test.says)
				wantKind(t, "Scale", tgt.Scale(t.Context(), 4), test.want, "scale Deployment default/"+name)
			}
		})
	}
}

// testNoAnswers has the API server, or what is before it, answer 200 with what is
// no answer. None of it is a number, or a reason to give up.
func testNoAnswers(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 2, "0s")
	for _, body := range []string{
		"", "null", "{}", "[]", "<html>Sign in</html>", `{"kind":"Status","apiVersion":"v1","status":"Success"}`,
		`{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"` + name + `"},"spec":{"repl`,
		`{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"another"},"spec":{}}`,
		`{"kind":"APIResourceLi`,
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			for _, at := range []string{"/apis/apps/v1", name, "/scale"} {
				tgt := open(t, c.proxied(t, name, func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, at) {
						return false
					}
					w.Header().Set("Content-Type", "application/json")
					_, err := w.Write([]byte(body))
					return err == nil
				}))
				st, err := tgt.Current(t.Context())
				wantKind(t, fmt.Sprintf("Current = %+v with %q for %s", st, body, at), err, target.KindTemporary, "HTTP status 200")
				if at != name { // which Scale does not ask for
					wantKind(t, fmt.Sprintf("Scale with %q for %s", body, at), tgt.Scale(t.Context(), 1), target.KindTemporary, "HTTP status 200")
				}
			}
			d := &DiscoveryConfig{clients: &c.clients}
			d.Kubeconfig = c.Proxy(t, realtest.KubernetesAdmin+"-token", func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/json")
				_, err := w.Write([]byte(body))
				return err == nil
			})
			found, err := d.New(target.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = found.(target.Closer).Close() }()
			things, err := found.Discover(t.Context())
			wantKind(t, fmt.Sprintf("Discover = %v with %q", things, body), err, target.KindTemporary, "HTTP status 200")
		})
	}
}

// testThrottled wants a throttled request back at once, with the time to wait:
// the engine waits, for all that it knows, and client-go would too.
func testThrottled(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	status := func(details string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"TooManyRequests","message":"try again later"%s,"code":429}`, details)
		}
	}
	for _, test := range []struct {
		name, header string
		answer       func(http.ResponseWriter)
		want         time.Duration
	}{
		// This is how the API server's own flow control says it.
		{"text", "7", func(w http.ResponseWriter) {
			http.Error(w, "Too many requests, please try again later.", http.StatusTooManyRequests)
		}, 7 * time.Second},
		{"a status without details", "7", status(""), 7 * time.Second},
		{"a status without a delay", "7", status(`,"details":{"kind":"deployments"}`), 7 * time.Second},
		{"a status with a delay", "", status(`,"details":{"retryAfterSeconds":7}`), 7 * time.Second},
		{"no delay at all", "", status(""), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			tgt := open(t, c.proxied(t, name, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut {
					return false
				}
				asked.Add(1)
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				test.answer(w)
				return true
			}))
			began := time.Now()
			err := tgt.Scale(t.Context(), 2)
			wantKind(t, "Scale", err, target.KindThrottled, "try again later")
			if got := target.RetryAfter(err); got != test.want {
				t.Errorf("RetryAfter = %v, want the %v of the answer", got, test.want)
			}
			if n := asked.Load(); n != 1 || time.Since(began) > 5*time.Second {
				t.Errorf("asked %d times in %v, want it once", n, time.Since(began))
			}
		})
	}
}

// testConflicts has someone else write between reading and writing, five times.
func testConflicts(t *testing.T, c *testCluster) {
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	var writes atomic.Int32
	tgt := open(t, c.proxied(t, name, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && writes.Add(1) <= 5 {
			note := map[string]any{"metadata": map[string]any{"annotations": map[string]any{"write": time.Now().String()}}}
			if err := c.Try(http.MethodPatch, object("apps/v1", "deployments", name), note, nil); err != nil {
				t.Error(err)
			}
		}
		return false
	}))
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
	for range 5 {
		wantKind(t, "Scale beside another writer", tgt.Scale(t.Context(), 3), target.KindConflict, "has been modified")
	}
	scale(t, tgt, 3)
}

// testKinds asks for what is not there, or has no number.
func testKinds(t *testing.T, c *testCluster) {
	for _, test := range []struct {
		name, apiVersion, kind, namespace string
		want                              target.Kind
		says                              string
	}{
		{"no such group", "nowhere.example.com/v1", "Thing", "default", target.KindNotFound, "read Thing default/x"},
		{"no such kind", "apps/v1", "Replicator", "default", target.KindNotFound, "no kind Replicator in apps/v1"},
		{"nothing to scale", "apps/v1", "DaemonSet", "default", target.KindPermanent, "no scale subresource"},
		{"a core kind", "v1", "ReplicationController", "default", target.KindNotFound, `"x" not found`},
		{"no such namespace", "apps/v1", "Deployment", "nowhere", target.KindNotFound, `"x" not found`},
	} {
		cfg := &Config{APIVersion: test.apiVersion, Kind: test.kind, Namespace: test.namespace, Name: "x", Kubeconfig: c.kubeconfig, clients: &c.clients}
		tgt := open(t, cfg)
		_, err := tgt.Current(t.Context())
		wantKind(t, test.name, err, test.want, test.says)
		wantKind(t, test.name, tgt.Scale(t.Context(), 1), test.want, "")
	}
}

// testControllersStop reads a Deployment that nobody carries out: ready is what
// it was.
func testControllersStop(t *testing.T, c *testCluster) {
	tgt := open(t, c.deployment(c.create(t, "apps/v1", "Deployment", 2, "0s")))
	settle(t, tgt, target.State{Requested: 2, Ready: 2})
	c.ControllerManager.Kill()
	for _, n := range []int{4, 1} {
		ask(t, tgt, n)
		if st, err := tgt.Current(t.Context()); err != nil || st != (target.State{Requested: n, Ready: 2}) {
			t.Errorf("Current = %+v, %v, want %d requested and the 2 that are ready", st, err, n)
		}
	}
	c.ControllerManager.Restart(t)
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
}

// testServerStops ends the API server between a request and its replicas; one
// target outlives it.
func testServerStops(t *testing.T, c *testCluster) {
	tgt := open(t, c.deployment(c.create(t, "apps/v1", "Deployment", 1, "2s")))
	settle(t, tgt, target.State{Requested: 1, Ready: 1})
	ask(t, tgt, 4)
	c.APIServer.Kill()
	for range 10 {
		_, err := tgt.Current(t.Context())
		wantKind(t, "Current without a server", err, target.KindTemporary, "read Deployment")
		wantKind(t, "Scale without a server", tgt.Scale(t.Context(), 2), target.KindTemporary, "scale Deployment")
	}
	c.APIServer.Restart(t)
	// While it starts it refuses what it cannot tell yet; no answer may be
	// another number.
	realtest.Eventually(t, converge, 100*time.Millisecond, "the server is back", func() error {
		st, err := tgt.Current(t.Context())
		if err == nil && st.Requested != 4 {
			t.Errorf("Current = %+v, want the 4 requested before", st)
		}
		return err
	})
	settle(t, tgt, target.State{Requested: 4, Ready: 4})
	scale(t, tgt, 2)
}
