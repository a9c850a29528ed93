package drain

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// load decodes and validates a configuration as the server does.
func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	var c Config
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return nil, err
	}
	return &c, c.Validate()
}

func newHook(t *testing.T, text string) *Hook {
	t.Helper()
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(*c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var request = Request{
	Action: Drain, Policy: "arena", Target: "eu", ScaleTarget: "arena/eu",
	Replica:  target.Replica{ID: "id-7", Name: "server/7", Address: "10.0.0.7"},
	Deadline: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
}

// never fails the test where a hook is said to fail.
func never(t *testing.T) func(error) {
	return func(err error) { t.Helper(); t.Errorf("failed: %s", err) }
}

func TestConfig(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{`{ http: { url: 'http://hook/{name}' } }`, ""},
		{`{ http: { url: 'https://{address}:8080/drain', basic_auth: { username: a, password: b } }, timeout: 30m }`, ""},
		{`{ http: { url: 'http://{address}/drain' } }`, ""},
		{`{ command: [drain, '{replica}', '{action}', --all] }`, ""},
		{`{ timeout: 1m }`, "needs http or command"},
		{`{ http: { url: 'http://hook' }, command: [drain] }`, "not both"},
		{`{ http: {} }`, "http.url: must be a URL"},
		{`{ http: { url: 'hook/{name}' } }`, "http.url: must be a URL"},
		{`{ http: { url: 'http://hook/{pod}' } }`, "http.url: {pod} is not a placeholder; they are {action},"},
		{`{ http: { url: 'http://a:b@hook' } }`, "http.url: must not name a user"},
		{`{ http: { url: 'http://hook', bearer_token: a, basic_auth: { username: a } } }`, "http: at most one"},
		{`{ command: [''] }`, "command: must begin with a program"},
		{`{ command: [drain, '{nme}'] }`, "command: {nme} is not a placeholder"},
		{`{ command: [drain], timeout: 0s }`, "timeout: must be longer than 0s"},
		{`{ command: [drain], interval: 0s }`, "interval: must be longer than 0s"},
		{`{ command: [drain], tries: 3 }`, "field tries not found"},
	} {
		_, err := load(t, tc.text)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %s", tc.text, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v, want %q", tc.text, err, tc.want)
		}
	}
}

func TestHTTP(t *testing.T) {
	var calls atomic.Int32
	var path string
	var got body
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.Method + " " + r.RequestURI
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusAccepted)
		case 2:
			http.Error(w, "the lobby is down", http.StatusServiceUnavailable)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()

	h := newHook(t, `{ http: { url: '`+server.URL+`/{action}/{name}' }, interval: 1ms }`)
	var failures []string
	if err := h.Wait(t.Context(), request, func(err error) { failures = append(failures, err.Error()) }); err != nil {
		t.Fatal(err)
	}
	if path != "POST /drain/server%2F7" {
		t.Errorf("called %s", path)
	}
	want := body{Action: Drain, Policy: "arena", Target: "eu", ScaleTarget: "arena/eu", Replica: "id-7", Name: "server/7", Address: "10.0.0.7", Deadline: request.Deadline}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"the hook answered 503 Service Unavailable: the lobby is down"}, failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls", calls.Load())
	}
	cancel := request
	cancel.Action = Cancel
	if err := h.Tell(t.Context(), cancel); err != nil || path != "POST /cancel/server%2F7" || got.Action != Cancel {
		t.Errorf("cancel: %s %+v %v", path, got, err)
	}
}

// TestHTTPNeedsTheAddress: an unknown address is an error, not a call of nobody.
func TestHTTPNeedsTheAddress(t *testing.T) {
	r := request
	r.Replica.Address = ""
	if err := newHook(t, `{ http: { url: 'http://{address}:80/' } }`).Tell(t.Context(), r); err == nil || !strings.Contains(err.Error(), "address of server/7 is not known") {
		t.Errorf("http: %v", err)
	}
	if err := newHook(t, `{ command: ['true', '{address}'] }`).Tell(t.Context(), r); err == nil || !strings.Contains(err.Error(), "address of server/7 is not known") {
		t.Errorf("command: %v", err)
	}
}

// TestHTTPErrorsKeepSecrets: an error names the host and repeats no query.
func TestHTTPErrorsKeepSecrets(t *testing.T) {
	err := newHook(t, `{ http: { url: 'http://127.0.0.1:1/drain?token=s3cret' } }`).Tell(t.Context(), request)
	if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v", err)
	}
}

func TestHTTPHasItsTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := newHook(t, `{ http: { url: '`+server.URL+`' }, interval: 1ms }`).Wait(ctx, request, never(t))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	// Not done at the first call, failing at the second, done at the third.
	script := `n=$(cat ` + dir + `/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > ` + dir + `/n
test "$ALERTSCALER_ACTION $ALERTSCALER_POLICY $ALERTSCALER_TARGET $ALERTSCALER_SCALE_TARGET $ALERTSCALER_REPLICA $ALERTSCALER_NAME $ALERTSCALER_ADDRESS $ALERTSCALER_DEADLINE" = "drain arena eu arena/eu id-7 server/7 10.0.0.7 2026-01-05T08:00:00Z" || exit 9
test "$1 $2" = "server/7 10.0.0.7:80" || exit 8
case $n in 1) exit 75 ;; 2) echo no lobby; exit 1 ;; esac`
	h := newHook(t, `{ command: [sh, -c, "`+strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(script)+`", sh, '{name}', '{address}:80'], interval: 1ms }`)
	var failures []string
	if err := h.Wait(t.Context(), request, func(err error) { failures = append(failures, err.Error()) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sh: exit status 1: no lobby"}, failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestCommandHasItsTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := newHook(t, `{ command: [sleep, '60'] }`).Wait(ctx, request, never(t))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}

// TestCommandPrintsTooMuch: only the end of it is kept.
func TestCommandPrintsTooMuch(t *testing.T) {
	err := newHook(t, `{ command: [sh, -c, 'head -c 20000000 /dev/zero | tr "\0" x; echo the end; exit 1'] }`).Tell(t.Context(), request)
	if err == nil || !strings.HasSuffix(err.Error(), "the end") || len(err.Error()) > 2*maxOutput {
		t.Errorf("%.100s", err)
	}
}
