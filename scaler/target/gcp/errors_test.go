package gcp

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/gcp/gcptest"
)

// TestKinds has Google answer badly: to everything, and only where something
// would change.
func TestKinds(t *testing.T) {
	t.Parallel()
	info := func(reason string) []any {
		return []any{map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}}
	}
	delay := []any{map[string]any{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}}
	for _, test := range []struct {
		name  string
		fault gcptest.Fault
		want  target.Kind
		after time.Duration
	}{
		{"bad request", gcptest.Fault{Status: 400, Reason: "invalid"}, target.KindPermanent, 0},
		{"not ready", gcptest.Fault{Status: 400, Reason: "resourceNotReady"}, target.KindTemporary, 0},
		{"in use", gcptest.Fault{Status: 400, Reason: "resourceInUseByAnotherResource"}, target.KindConflict, 0},
		{"no credentials", gcptest.Fault{Status: 401, Reason: "authError"}, target.KindUnauthorized, 0},
		{"forbidden", gcptest.Fault{Status: 403, Reason: "forbidden"}, target.KindUnauthorized, 0},
		{"API off", gcptest.Fault{Status: 403, Reason: "accessNotConfigured", Details: info("SERVICE_DISABLED")}, target.KindUnauthorized, 0},
		{"rate", gcptest.Fault{Status: 403, Reason: "rateLimitExceeded", RetryAfter: "7"}, target.KindThrottled, 7 * time.Second},
		{"rate of a user", gcptest.Fault{Status: 403, Reason: "userRateLimitExceeded"}, target.KindThrottled, 0},
		{"rate by details", gcptest.Fault{Status: 403, Reason: "other", Details: info("RATE_LIMIT_EXCEEDED")}, target.KindThrottled, 0},
		{"too many", gcptest.Fault{Status: 429, Reason: "other", Details: delay}, target.KindThrottled, 17 * time.Second},
		{"quota", gcptest.Fault{Status: 403, Reason: "quotaExceeded"}, target.KindQuota, 0},
		{"no capacity", gcptest.Fault{Status: 503, Reason: "ZONE_RESOURCE_POOL_EXHAUSTED"}, target.KindQuota, 0},
		{"not found", gcptest.Fault{Status: 404, Reason: "notFound"}, target.KindNotFound, 0},
		{"conflict", gcptest.Fault{Status: 409, Reason: "alreadyExists"}, target.KindConflict, 0},
		{"precondition", gcptest.Fault{Status: 412, Reason: "conditionNotMet"}, target.KindConflict, 0},
		{"backend", gcptest.Fault{Status: 503, Reason: "backendError", RetryAfter: "3"}, target.KindTemporary, 3 * time.Second},
		{"internal", gcptest.Fault{Status: 500, Reason: "internalError"}, target.KindTemporary, 0},
		{"proxy", gcptest.Fault{Answer: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<h1>Bad Gateway</h1>"))
		}}, target.KindTemporary, 0},
		{"moved", gcptest.Fault{Answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }}, target.KindTemporary, 0},
		{"a page of 400", gcptest.Fault{Answer: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("<h1>Bad Request</h1>"))
		}}, target.KindTemporary, 0},
		{"not JSON", gcptest.Fault{Answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }}, target.KindTemporary, 0},
		{"nothing", gcptest.Fault{Answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }}, target.KindTemporary, 0},
		{"null", gcptest.Fault{Answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("null")) }}, target.KindTemporary, 0},
		{"cut", gcptest.Fault{Answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }}, target.KindTemporary, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/compute/", "/resize"} {
				g := serve(t, &gcptest.Server{})
				tgt := g.scaling(t, web())
				test.fault.Path, test.fault.Message = path, "it says so"
				g.Inject(test.fault)
				err := tgt.Scale(t.Context(), 4)
				e, ok := errors.AsType[*target.Error](err)
				if !ok || e.Kind != test.want || e.RetryAfter != test.after || !strings.Contains(e.Op, "scale instance group europe-west1-b/web to 4") {
					t.Errorf("%s: %v (kind %q, retry after %v), want kind %q and %v", path, err, target.KindOf(err), target.RetryAfter(err), test.want, test.after)
				}
				if n := count(g, ""); test.fault.Answer == nil && path == "/compute/" && n != 0 {
					t.Errorf("%d requests came through", n)
				}
				if st, err := tgt.Current(t.Context()); path == "/resize" && (err != nil || st.Requested != 2) {
					t.Errorf("%+v, %v after a refusal, want 2 requested", st, err)
				}
			}
		})
	}
}

// TestTokens: what becomes of credentials that do not do.
func TestTokens(t *testing.T) {
	t.Parallel()
	kinds := func(t *testing.T, tgt target.Target, want target.Kind) {
		t.Helper()
		if _, err := tgt.Current(t.Context()); target.KindOf(err) != want {
			t.Errorf("%v (kind %q), want kind %q", err, target.KindOf(err), want)
		}
	}
	t.Run("revoked key", func(t *testing.T) {
		t.Parallel()
		g := serve(t, &gcptest.Server{})
		g.Revoke(scalerAccount)
		kinds(t, g.scaling(t, web()), target.KindUnauthorized)
	})
	t.Run("no file, and then one", func(t *testing.T) {
		t.Parallel()
		g := serve(t, &gcptest.Server{})
		g.Create(web())
		cfg := g.config(web())
		cfg.CredentialsFile += ".later"
		tgt := build(t, cfg)
		kinds(t, tgt, target.KindUnauthorized)
		if err := os.Rename(g.key, cfg.CredentialsFile); err != nil {
			t.Fatal(err)
		}
		kinds(t, tgt, "")
	})
	t.Run("not a key", func(t *testing.T) {
		t.Parallel()
		g := serve(t, &gcptest.Server{})
		if err := os.WriteFile(g.key, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		kinds(t, g.scaling(t, web()), target.KindUnauthorized)
	})
	for status, want := range map[int]target.Kind{429: target.KindThrottled, 500: target.KindTemporary, 503: target.KindTemporary, 403: target.KindUnauthorized} {
		t.Run("token endpoint "+http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			g := serve(t, &gcptest.Server{})
			g.Inject(gcptest.Fault{Path: "/token", Status: status, Reason: "x", Times: 1})
			tgt := g.scaling(t, web())
			kinds(t, tgt, want)
			kinds(t, tgt, "") // and it is asked again
		})
	}
	t.Run("token endpoint out of reach", func(t *testing.T) {
		t.Parallel()
		g := serve(t, &gcptest.Server{})
		g.Inject(gcptest.Fault{Path: "/token", Answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }})
		kinds(t, g.scaling(t, web()), target.KindTemporary)
	})
	t.Run("revoked token", func(t *testing.T) {
		t.Parallel()
		g := serve(t, &gcptest.Server{})
		tgt := impatient(g.scaling(t, web()))
		kinds(t, tgt, "")
		g.RevokeTokens()
		time.Sleep(2 * time.Millisecond)
		kinds(t, tgt, target.KindUnauthorized)
		kinds(t, tgt, "") // with another one
	})
	t.Run("renewed", func(t *testing.T) {
		t.Parallel()
		// A token counts as too old in its last minutes.
		g := serve(t, &gcptest.Server{TokenLifetime: 2 * time.Second})
		tgt := impatient(g.scaling(t, web()))
		for range 3 {
			kinds(t, tgt, "")
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// toServer sends requests for iamcredentials.googleapis.com to the server.
type toServer struct{ url string }

func (s toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Host, "googleapis.com") {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(s.url, "http://")
	}
	return hosts.RoundTrip(r)
}

func TestImpersonation(t *testing.T) {
	t.Parallel()
	const mighty = "mighty@shop.iam.gserviceaccount.com"
	g := serve(t, &gcptest.Server{})
	g.Create(web())
	g.keyOf(t, mighty)
	cfg := g.config(web())
	cfg.CredentialsFile = g.keyOf(t, "humble@shop.iam.gserviceaccount.com", "nothing")
	cfg.ImpersonateServiceAccount = mighty
	tgt, err := cfg.New(target.Options{HTTPClient: &http.Client{Transport: toServer{g.url}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tgt.Current(t.Context()); target.KindOf(err) != target.KindUnauthorized {
		t.Errorf("%v (kind %q) before it may, want unauthorized", err, target.KindOf(err))
	}
	g.LetActAs("humble@shop.iam.gserviceaccount.com", mighty)
	if st := current(t, tgt); st.Requested != 2 {
		t.Errorf("%+v", st)
	}
}
