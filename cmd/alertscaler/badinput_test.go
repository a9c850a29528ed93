package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestBadConfigurationStartsNothing: exit 1, an error with file, line and what
// would be right, and no ledger.
func TestBadConfigurationStartsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "bad.yml")
	if err := os.WriteFile(file, []byte("policies:\n  - name: web\n    min: 5\n    max: 3\n    targets: [ { name: l, process: { command: [sleep, \"1\"] } } ]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	out, err := exec.Command(binary, "--config.file="+file, "--storage.path="+data, "--web.listen-address=127.0.0.1:0").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", err)
	}
	if want := file + ":3: policies[0].min: 5 is greater than max 3"; !strings.Contains(string(out), want) {
		t.Errorf("printed %q, want %q", out, want)
	}
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the ledger was touched: %v", err)
	}
}

// TestBadReloadLeavesTheOldConfiguration working, and says why.
func TestBadReloadLeavesTheOldConfiguration(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	s.configure("policies: []\nsurprise: 1\n")
	code, text := s.post("/-/reload", "")
	if code != http.StatusInternalServerError || !strings.Contains(text, `alertscaler.yml:2: unknown key "surprise"`) {
		t.Errorf("reload of a bad file: %d %s", code, text)
	}
	if st := s.policy("web"); st.Max != 20 {
		t.Errorf("the old policy is gone: %+v", st)
	}
	if got := s.metric("alertscaler_config_last_reload_successful"); got != "0" {
		t.Errorf("last reload successful: %s", got)
	}
	s.configure(strings.Replace(sleepers(""), "max: 20", "max: 30", 1))
	if code, text := s.post("/-/reload", ""); code != http.StatusOK {
		t.Fatalf("reload of a good file: %d %s", code, text)
	}
	if got := s.metric("alertscaler_config_last_reload_successful"); got != "1" {
		t.Errorf("last reload successful: %s", got)
	}
	s.eventually(10*time.Second, "the next evaluation takes it over", "web", func(st status.Policy) error {
		if st.Max != 30 {
			return fmt.Errorf("max %d, want 30", st.Max)
		}
		return nil
	})
}

// TestBadWebhookBodiesChangeNothing and are counted.
func TestBadWebhookBodiesChangeNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""), "--web.max-body-bytes=5000000")
	for _, tc := range []struct {
		name, body string
		code       int
	}{
		{"not JSON", "scale up please", http.StatusBadRequest},
		{"cut off", `{"version":"4","status":"firing","alerts":[{"sta`, http.StatusBadRequest},
		{"another version", `{"version":"3","status":"firing","alerts":[]}`, http.StatusBadRequest},
		{"too large", strings.Repeat(" ", 5_000_001), http.StatusRequestEntityTooLarge},
	} {
		code, text := s.post("/webhook", tc.body)
		if code != tc.code || strings.Count(strings.TrimSpace(text), "\n") > 0 || strings.TrimSpace(text) == "" {
			t.Errorf("%s: %d %q, want %d and one line", tc.name, code, text, tc.code)
		}
	}
	resp, err := http.Get(s.url + "/webhook")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET /webhook: %s", resp.Status)
	}
	for series, want := range map[string]string{
		`alertscaler_webhook_requests_total{code="400"}`: "3",
		`alertscaler_webhook_requests_total{code="413"}`: "1",
		`alertscaler_webhook_requests_total{code="405"}`: "1",
		`alertscaler_webhook_requests_total{code="202"}`: "0",
	} {
		if got := s.metric(series); got != want {
			t.Errorf("%s %s, want %s", series, got, want)
		}
	}
	if st := s.policy("web"); st.AlertsUp+st.AlertsDown != 0 {
		t.Errorf("the book has changed: %+v", st)
	}
}

// TestMetricsAreInTheReadme: every metric that a server exports before anything
// happened is in both READMEs.
func TestMetricsAreInTheReadme(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	exported := regexp.MustCompile(`(?m)^# TYPE (alertscaler_\w+) `).FindAllStringSubmatch(s.text("/metrics"), -1)
	if len(exported) < 30 {
		t.Fatalf("only %d metrics are exported", len(exported))
	}
	for _, file := range []string{"README.md", "README.zh-CN.md"} {
		readme, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range exported {
			if !strings.Contains(string(readme), "`"+m[1]+"`") {
				t.Errorf("%s does not list %s", file, m[1])
			}
		}
	}
}
