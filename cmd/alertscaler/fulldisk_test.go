package main_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestAFullDiskStopsScalingAndTells: on a disk that is full no platform is
// asked, and the reason, readiness and metrics say why; once there is room all
// goes on without anybody's help.
func TestAFullDiskStopsScalingAndTells(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk).CombinedOutput(); err != nil {
		realtest.SkipOrFail(t, "needs root, for a small disk of its own: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", disk).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
	})
	platform := &pools{requested: make(map[string]int), asked: make(chan string, 100_000)}
	web := httptest.NewServer(platform)
	t.Cleanup(web.Close)
	port := realtest.FreePort(t)
	s := &server{t: t, dir: disk, url: fmt.Sprintf("http://127.0.0.1:%d", port), file: filepath.Join(t.TempDir(), "alertscaler.yml")}
	s.configure(fmt.Sprintf(`
global: { evaluation_interval: 1s }
policies:
  - name: web
    min: 1
    max: 100000
    scale_up: { cooldown: 0s }
    targets: [ { name: t, http: { url: '%s/web' } } ]
`, web.URL))
	s.Process = realtest.Start(t, binary, "--config.file="+s.file, "--storage.path="+filepath.Join(disk, "data"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port))
	s.WaitHTTP(t, s.url+"/-/ready")
	s.fire("up", "web")
	s.eventually(30*time.Second, "it scales", "web", func(st status.Policy) error {
		if requested, _ := counts(st); requested < 3 {
			return fmt.Errorf("%d requested; %s", requested, st.Explanation)
		}
		return nil
	})

	ballast := filepath.Join(disk, "ballast")
	fill(t, ballast)
	s.eventually(2*time.Minute, "the disk is full", "web", func(st status.Policy) error {
		if st.Last == nil || st.Last.Reason != policy.ReasonNotRecorded {
			return fmt.Errorf("%s", st.Explanation)
		}
		return nil
	})
	for len(platform.asked) > 0 {
		<-platform.asked
	}
	acted := s.metric(`alertscaler_actions_total{direction="up",policy="web",target="t"}`)
	scaled := s.metric(`alertscaler_decisions_total{direction="up",policy="web",reason="scaled_up"}`)
	realtest.Eventually(t, time.Minute, 200*time.Millisecond, "readiness tells", func() error {
		code, text := s.ask("/-/ready")
		if code != http.StatusServiceUnavailable || !strings.Contains(text, "no space left on device") {
			return fmt.Errorf("%d %s", code, text)
		}
		return nil
	})
	for series, want := range map[string]string{
		"alertscaler_safe_to_autoscale":                                               "0",
		"alertscaler_ledger_last_write_successful":                                    "0",
		`alertscaler_actions_total{direction="up",policy="web",target="t"}`:           acted,
		`alertscaler_decisions_total{direction="up",policy="web",reason="scaled_up"}`: scaled,
	} {
		if got := s.metric(series); got != want {
			t.Errorf("%s %s, want %s", series, got, want)
		}
	}
	if st := s.policy("web"); !strings.Contains(st.Explanation, "the ledger does not take what is intended") {
		t.Errorf("explained as %q", st.Explanation)
	}
	if n := len(platform.asked); n > 0 {
		t.Errorf("the platform was asked %d times", n)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	realtest.Eventually(t, time.Minute, 200*time.Millisecond, "all goes on", func() error {
		if code, text := s.ask("/-/ready"); code != http.StatusOK {
			return errors.New(text)
		}
		if len(platform.asked) == 0 {
			return errors.New("nothing is asked")
		}
		return nil
	})
	realtest.Eventually(t, 30*time.Second, 200*time.Millisecond, "the gauges say so", func() error {
		if got := s.metric("alertscaler_safe_to_autoscale") + s.metric("alertscaler_ledger_last_write_successful"); got != "11" {
			return errors.New(got)
		}
		return nil
	})
}

// fill writes to the file until nothing more fits.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for {
		if _, err := f.Write(page); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// ask returns the status and the text of any answer.
func (s *server) ask(path string) (int, string) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
