package nomad

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/nomad/nomadtest"
)

// answers gives every request the same answer.
func answers(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestKinds has the agent answer badly: to everything, once the job was read,
// and only where something would change.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		fault http.HandlerFunc
		want  target.Kind
		says  string
	}{
		{"bad request", answers(400, "missing job ID"), target.KindPermanent, "HTTP status 400: missing job ID"},
		{"deployment", answers(400, "job scaling blocked due to active deployment"), target.KindConflict, "active deployment"},
		{"permission", answers(403, "Permission denied"), target.KindUnauthorized, "Permission denied"},
		{"token", answers(403, "ACL token not found"), target.KindUnauthorized, "ACL token not found"},
		{"load shedding", answers(403, "Job registration, dispatch, and scale are disabled by the scheduler configuration"), target.KindTemporary, "disabled"},
		{"not found", answers(404, "job not found"), target.KindNotFound, "job not found"},
		{"method", answers(405, "Invalid method"), target.KindPermanent, "Invalid method"},
		{"too many", answers(429, "Your IP is issuing too many concurrent connections"), target.KindThrottled, "too many"},
		{"index", answers(500, "rpc error: Enforcing job modify index 7: job exists with conflicting job modify index: 9"), target.KindConflict, "index 7"},
		{"no leader", answers(500, "No cluster leader"), target.KindTemporary, "No cluster leader"},
		{"no region", answers(500, "No path to region"), target.KindTemporary, "No path to region"},
		{"proxy", answers(502, "<h1>Bad Gateway</h1>"), target.KindTemporary, "Bad Gateway"},
		{"moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ui/", http.StatusFound) }, target.KindPermanent, "302"},
		{"not JSON", answers(200, "<html>"), target.KindTemporary, "invalid character"},
		{"cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, target.KindTemporary, "EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, hits := range []func(*http.Request) bool{
				func(*http.Request) bool { return true },
				func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/scale") },
				func(r *http.Request) bool { return r.Method == http.MethodPut },
			} {
				var s nomadtest.Server
				s.Register(web())
				tgt := at(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if hits(r) {
						test.fault(w, r)
						return
					}
					s.ServeHTTP(w, r)
				})))
				err := tgt.Scale(t.Context(), 4)
				e, ok := errors.AsType[*target.Error](err)
				if !ok || e.Kind != test.want || !strings.Contains(err.Error(), test.says) || !strings.Contains(e.Op, "shop/web group frontend") {
					t.Errorf("%v (kind %q), want kind %q and %q", err, target.KindOf(err), test.want, test.says)
				}
			}
		})
	}
}

// TestNoAnswers has the agent, or what is before it, answer 200 with what is no
// answer. None of it is a number, or a reason to give up.
func TestNoAnswers(t *testing.T) {
	t.Parallel()
	const half = `{"ID":"shop/web","JobModifyIndex":3,"TaskGroups":[{"Name":"frontend"`
	for _, body := range []string{
		"", "null", "{}", "[]", "<html>Sign in</html>", half, half + "}]}",
		`{"JobID":"shop/web","TaskGroups":{"frontend":{}}}`, `{"JobID":"shop/web","TaskGroups":{"frontend":{"Desired":2}}}`, `{"JobID":"shop/web","TaskGroups":null}`,
	} {
		for _, suffix := range []string{"/web", "/scale"} {
			if strings.HasPrefix(body, half) && strings.HasSuffix(body, "}") && suffix == "/web" {
				continue // that is all that is asked of it
			}
			var s nomadtest.Server
			s.Register(web())
			tgt := at(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, suffix) {
					answers(200, body)(w, r)
					return
				}
				s.ServeHTTP(w, r)
			})))
			st, err := tgt.Current(t.Context())
			for _, err := range []error{err, tgt.Scale(t.Context(), 1)} {
				if target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "HTTP status 200") {
					t.Errorf("%q for %s: %+v, %v (kind %q), want kind temporary and the status", body, suffix, st, err, target.KindOf(err))
				}
			}
			if n := len(s.Events()); n > 0 {
				t.Errorf("%q for %s: scaled %d times", body, suffix, n)
			}
		}
	}
}

// TestRetryAfter: whoever answers says when to come back.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 429, 503} {
		tgt := at(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			answers(status, "not now")(w, r)
		})))
		if _, err := tgt.Current(t.Context()); target.RetryAfter(err) != 7*time.Second {
			t.Errorf("%v: after %v, want the 7s of the answer", err, target.RetryAfter(err))
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	var s nomadtest.Server
	s.Register(web())
	srv := httptest.NewTLSServer(&s)
	t.Cleanup(srv.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := &Config{Address: srv.URL, TLSConfig: &config.TLSConfig{CAFile: "ca.pem"}, Job: "shop/web", Group: "frontend"}
	cfg.SetDirectory(filepath.Dir(ca))
	if err := build(t, cfg).Scale(t.Context(), 3); err != nil {
		t.Errorf("with the CA: %v", err)
	}
	_, err := at(t, srv.URL).Current(t.Context())
	if target.KindOf(err) != target.KindTemporary || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the CA: %v (kind %q)", err, target.KindOf(err))
	}
}
