package http

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/target"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body, more string
		want             target.State
	}{
		{"defaults", fine, "", target.State{Requested: 2, Ready: 1}},
		{"bounds", `{"requested": 2, "ready": 3, "min": 1, "max": 9, "more": []}`, "", target.State{Requested: 2, Ready: 3, Min: 1, Max: 9}},
		{"null bounds", `{"requested": 2, "ready": 3, "min": null, "max": null}`, "", target.State{Requested: 2, Ready: 3}},
		{"bounds that are none", `{"requested": 2, "ready": 3, "min": "few", "max": "many"}`, `current: { min: "", max: "" }`, target.State{Requested: 2, Ready: 3}},
		{"accepted is ready", `{"requested": 2}`, `current: { ready: "" }`, target.State{Requested: 2, Ready: 2}},
		{
			"paths", `{"spec": {"replicas": 4}, "pods": [{}, {}], "limits": [{"lo": 1, "hi": 8}]}`,
			"current: { requested: spec.replicas, ready: 'pods.#', min: limits.0.lo, max: limits.0.hi }",
			target.State{Requested: 4, Ready: 2, Min: 1, Max: 8},
		},
		{"a bare number", "5\n", `current: { requested: $, ready: "" }`, target.State{Requested: 5, Ready: 5}},
	} {
		got, err := open(t, serve(t, answers(200, test.body)), test.more).Current(t.Context())
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

// TestRequests looks at what is sent.
func TestRequests(t *testing.T) {
	t.Parallel()
	var seen []string
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, fmt.Sprintf("%s %s %s %s %s %s", r.Method, r.RequestURI, r.Header.Get("Content-Type"), r.Header.Get("X-Team"), r.UserAgent(), body))
		_, _ = w.Write([]byte(fine))
	}))
	tgt := open(t, url+"/v1/pools?of=web", `
current: { url: status, method: POST, body: '{"pool": {{json .ScaleTarget}}}' }
scale:
  url: /v2/scale?dry=0
  method: PATCH
  content_type: application/merge-patch+json
  body: '{"spec": {"replicas": {{.Desired}}}, "by": {{printf "%s/%s" .Policy .Target | json}}}'
http_headers: { X-Team: { values: [shop] } }
`)
	if err := tgt.Scale(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`POST /v1/status application/json shop alertscaler {"pool": "shop_web"}`,
		`PATCH /v2/scale?dry=0 application/merge-patch+json shop alertscaler {"spec": {"replicas": 3}, "by": "shop/east"}`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// TestETag: the number is written only over what was read, where the server
// can tell, and where its word is about what is written.
func TestETag(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, etag, more, want string }{
		{"strong", `"a"`, "", `"a"`},
		{"none", "", "", ""},
		{"weak", `W/"a"`, "", ""},
		{"of another URL", `"a"`, "scale: { url: other }", ""},
	} {
		var got []string
		url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				got = append(got, r.Header.Get("If-Match"))
			}
			if test.etag != "" {
				w.Header().Set("ETag", test.etag)
			}
			_, _ = w.Write([]byte(fine))
		}))
		if err := open(t, url+"/x", test.more).Scale(t.Context(), 3); err != nil || !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s: If-Match %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

// TestNothingIsAskedTwice: the same number is no request.
func TestNothingIsAskedTwice(t *testing.T) {
	t.Parallel()
	p := &pool{}
	tgt := open(t, serve(t, p), "")
	for _, n := range []int{3, 3, 3, 0, 0} {
		if err := tgt.Scale(t.Context(), n); err != nil && target.KindOf(err) != target.KindNoOp {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"map[desired:3]", "map[desired:0]"}, p.puts); diff != "" {
		t.Error(diff)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	p := &pool{}
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			p.ServeHTTP(w, r)
			return
		}
		http.Redirect(w, r, "/moved", http.StatusTemporaryRedirect)
	}))
	tgt := open(t, url, "")
	if st, err := tgt.Current(t.Context()); err != nil || st != (target.State{}) {
		t.Errorf("Current by a redirect: %+v, %v", st, err)
	}
	err := tgt.Scale(t.Context(), 3)
	if target.KindOf(err) != target.KindPermanent || !strings.Contains(err.Error(), "307") || len(p.puts) > 0 {
		t.Errorf("Scale by a redirect: %v (kind %q), and it was asked for %v", err, target.KindOf(err), p.puts)
	}
	if _, err := open(t, url, "follow_redirects: false").Current(t.Context()); target.KindOf(err) != target.KindPermanent {
		t.Errorf("Current with follow_redirects off: %v (kind %q)", err, target.KindOf(err))
	}
}

// TestErrorsHoldNoSecret looks at what is said about a URL with credentials.
func TestErrorsHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, url := range []string{unreachable(t), serve(t, answers(500, "no"))} {
		url = strings.Replace(url, "http://", "http://user:secret@", 1) + "/x?token=secret"
		tgt := open(t, url, "")
		_, err := tgt.Current(t.Context())
		for _, err := range []error{err, tgt.Scale(t.Context(), 1)} {
			if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "/x") {
				t.Errorf("%v, want it without the secret and with the path", err)
			}
		}
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "p" && r.Header.Get("Authorization") != "Bearer t" {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(fine))
	}))
	tokens := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = r.ParseForm()
		if id, secret, _ := r.BasicAuth(); id != "me" || secret != "s" {
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client", "error_description": "not " + secret})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "t", "token_type": "Bearer"})
	}))
	for more, want := range map[string]target.Kind{
		"": target.KindUnauthorized,
		"basic_auth: { username: u, password: p }":                                          "",
		"authorization: { credentials: t }":                                                 "",
		"authorization: { credentials: x }":                                                 target.KindUnauthorized,
		"authorization: { credentials_file: /nowhere }":                                     target.KindTemporary,
		"oauth2: { client_id: me, client_secret: s, token_url: '" + tokens + "' }":          "",
		"oauth2: { client_id: me, client_secret: secret-x, token_url: '" + tokens + "' }":   target.KindUnauthorized,
		"oauth2: { client_id: me, client_secret: s, token_url: '" + unreachable(t) + "/' }": target.KindTemporary,
	} {
		_, err := open(t, url, more).Current(t.Context())
		if target.KindOf(err) != want || (err != nil && strings.Contains(err.Error(), "secret-x")) {
			t.Errorf("%s: %v (kind %q), want kind %q", more, err, target.KindOf(err), want)
		}
	}
}

// TestTokenServerHangs: a call ends with its context wherever it waits.
func TestTokenServerHangs(t *testing.T) {
	t.Parallel()
	var asked atomic.Bool
	tokens := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(true)
		hangs(w, r)
	}))
	tgt := open(t, serve(t, &pool{}), "oauth2: { client_id: me, client_secret: s, token_url: '"+tokens+"' }")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := tgt.Scale(ctx, 3)
	if took := time.Since(start); took > 5*time.Second || !target.IsTimeout(err) || target.KindOf(err) != target.KindTemporary || !asked.Load() {
		t.Errorf("%v after %v (kind %q)", err, took, target.KindOf(err))
	}
}

// TestNamesThatAreNoJSON are found when the target is built, not when it is
// first scaled.
func TestNamesThatAreNoJSON(t *testing.T) {
	t.Parallel()
	cfg := configured(t, "http://pool", `scale: { body: '{"n": {{.Desired}}, "of": "{{.ScaleTarget}}"}' }`)
	if _, err := cfg.New(target.Options{ScaleTarget: `shop "web"`}); err == nil || !strings.Contains(err.Error(), "scale.body") {
		t.Errorf("New: %v, want it to blame scale.body", err)
	}
}
