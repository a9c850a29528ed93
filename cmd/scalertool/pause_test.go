package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/webhook"
)

// TestPauseAndResume is the round trip: what the tool sends is what the server
// keeps, and what status then shows.
func TestPauseAndResume(t *testing.T) {
	w := &world{statuses: []status.Policy{{Name: "web", Explanation: "web stays at 2 (paused)"}, {Name: "shop/eu"}}}
	at := serve(t, w, nil)
	for _, step := range []struct {
		args  []string
		says  string
		pause *policy.Pause
	}{
		{
			[]string{"pause", "web", "--for=1d2h", "--comment=migration of <db>", "--author=ann"},
			"web is paused by ann until 2026-01-06T10:00:00Z: migration of <db>\n",
			&policy.Pause{Since: now, Until: now.Add(26 * time.Hour), By: "ann", Comment: "migration of <db>"},
		},
		{[]string{"status"}, "PAUSED by ann until 2026-01-06T10:00:00Z: migration of <db>; web stays at 2 (paused)\n", nil},
		{[]string{"resume", "web"}, "web is resumed\n", nil},
		{[]string{"resume", "web"}, "web was not paused\n", nil},
		{[]string{"retry", "web"}, "web tries again\n", nil},
		{[]string{"retry", "web"}, "web was not held by a backoff or a contest\n", nil},
		{
			[]string{"pause", "--until=2026-01-05T11:00:00+01:00", "--comment=x", "--author=ann", "web"},
			"web is paused by ann until 2026-01-05T10:00:00Z: x\n",
			&policy.Pause{Since: now, Until: now.Add(2 * time.Hour), By: "ann", Comment: "x"},
		},
		{
			[]string{"pause", "--comment=x", "--author=bob", "web"},
			"web is paused by bob until resumed: x\n",
			&policy.Pause{Since: now, By: "bob", Comment: "x"},
		},
		{[]string{"status", "web"}, "PAUSED by bob until resumed: x; web stays", nil},
		{
			[]string{"pause", "--comment=x", "web"},
			"web is paused by " + osUser() + " until resumed: x\n",
			&policy.Pause{Since: now, By: osUser(), Comment: "x"},
		},
	} {
		code, stdout, stderr := tool(append(step.args, at)...)
		if code != exitOK || !strings.Contains(stdout, step.says) {
			t.Errorf("%q: exit %d, want %q\n%s%s", step.args, code, step.says, stdout, stderr)
		}
		if step.pause != nil {
			if diff := cmp.Diff(step.pause, w.statuses[0].Pause); diff != "" {
				t.Errorf("%q (-want +got):\n%s", step.args, diff)
			}
		}
	}
	if code, _, stderr := tool("pause", at, "--comment=x", "shop/eu"); code != exitOK || w.statuses[1].Pause == nil {
		t.Errorf("a name with a slash: exit %d: %s", code, stderr)
	}
}

func TestPauseExitCodes(t *testing.T) {
	why := "--comment=x"
	for _, tc := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no such policy", []string{"pause", "wbe", why}, exitFailed, `there is no policy "wbe"`},
		{"resume of no such policy", []string{"resume", "wbe"}, exitFailed, `there is no policy "wbe"`},
		{"no policy", []string{"pause", why}, exitCannot, "required argument 'policy' not provided"},
		{"retry of no such policy", []string{"retry", "wbe"}, exitFailed, `there is no policy "wbe"`},
		{"an empty name", []string{"resume", ""}, exitCannot, "the name of the policy is empty"},
		{"no comment", []string{"pause", "web"}, exitCannot, "required flag(s) '--comment' not provided"},
		{"an empty comment", []string{"pause", "web", "--comment="}, exitCannot, `"comment" is missing: say why`},
		{"for and until", []string{"pause", "web", why, "--for=2h", "--until=2026-01-06T08:00:00Z"}, exitCannot, "both --for and --until are given; give one"},
		{"not a duration", []string{"pause", "web", why, "--for=two hours"}, exitCannot, `--for="two hours" is not a duration longer than 0; want such as`},
		{"no time at all", []string{"pause", "web", why, "--for=0s"}, exitCannot, `--for="0s"`},
		{"an unset variable", []string{"pause", "web", why, "--for="}, exitCannot, `--for=""`},
		{"not a time", []string{"pause", "web", why, "--until=tomorrow"}, exitCannot, `--until="tomorrow" is not a time; want such as`},
		{"a time that is past", []string{"pause", "web", why, "--until=2026-01-05T07:00:00Z"}, exitCannot, `400 Bad Request: "until" is 2026-01-05T07:00:00Z, which is past`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &world{statuses: []status.Policy{{Name: "web"}}}
			code, stdout, stderr := tool(append(tc.args, serve(t, w, nil))...)
			if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
				t.Errorf("exit %d, want %d with %q\n%s%s", code, tc.code, tc.want, stdout, stderr)
			}
			if w.statuses[0].Pause != nil {
				t.Error("paused all the same")
			}
		})
	}
}

func TestPauseOfAServerThatCannot(t *testing.T) {
	statuses := []status.Policy{{Name: "web"}}
	disabled := serve(t, &world{statuses: statuses}, func(o *webhook.Options) { o.Pauses = nil })
	broken := serve(t, &world{statuses: statuses, err: errors.New("ledger closed")}, nil)
	for at, want := range map[string]string{
		disabled: "403 Forbidden: the admin API is not enabled: start Alertscaler with --web.enable-admin-api",
		broken:   "500 Internal Server Error: ledger closed",
	} {
		for _, args := range [][]string{{"pause", "web", "--comment=x", at}, {"resume", "web", at}} {
			if code, stdout, stderr := tool(args...); code != exitCannot || !strings.Contains(stderr, want) {
				t.Errorf("%q: exit %d, want %d with %q\n%s%s", args, code, exitCannot, want, stdout, stderr)
			}
		}
	}
}

// TestPostAuthenticates: POST takes its credentials where GET does.
func TestPostAuthenticates(t *testing.T) {
	var method, kind, user, password string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, kind = r.Method, r.Header.Get("Content-Type")
		user, password, _ = r.BasicAuth()
		w.Write([]byte(`{"status":"success","data":{"by":"ann","comment":"x"}}`))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "http.yml")
	if err := os.WriteFile(file, []byte("basic_auth: { username: ann, password: right }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := tool("pause", "web", "--comment=x", "--http.config.file="+file, "--alertscaler.url="+server.URL)
	got := []string{method, kind, user, password}
	if diff := cmp.Diff([]string{"POST", "application/json", "ann", "right"}, got); code != exitOK || diff != "" {
		t.Errorf("exit %d: %s (-want +got):\n%s", code, stderr, diff)
	}
}
