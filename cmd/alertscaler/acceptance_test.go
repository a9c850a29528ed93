package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// The tests of this package run the real binary, with the real programs
// around it.

// binary is the program under test; TestMain builds it.
var binary string

func TestMain(m *testing.M) {
	// They wait for servers, cooldowns and engines most of their time.
	realtest.Parallel(8)
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "alertscaler"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(buildDir)
		if binary, err = build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// server is a running Alertscaler.
type server struct {
	*realtest.Process
	t    testing.TB
	url  string
	dir  string
	file string
}

// startServer runs Alertscaler with the configuration until the test ends.
func startServer(t testing.TB, config string, args ...string) *server {
	t.Helper()
	return startServerOn(t, realtest.FreePort(t), config, args...)
}

// startServerOn is startServer on a port that others know already.
func startServerOn(t testing.TB, port int, config string, args ...string) *server {
	t.Helper()
	return startServerBy(t, nil, port, config, args...)
}

// startServerBy is startServerOn through a command that ends in running the
// rest of its line.
func startServerBy(t testing.TB, by []string, port int, config string, args ...string) *server {
	t.Helper()
	return startProgram(t, append(slices.Clone(by), binary), port, config, args...)
}

// startProgram is startServerBy with the program at the end of the command.
func startProgram(t testing.TB, command []string, port int, config string, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	s.file = filepath.Join(s.dir, "alertscaler.yml")
	s.configure(config)
	line := slices.Concat(command, []string{
		"--config.file=" + s.file,
		"--storage.path=" + filepath.Join(s.dir, "data"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port),
		"--web.enable-lifecycle",
	}, args)
	s.Process = realtest.Start(t, line[0], line[1:]...)
	s.WaitHTTP(t, s.url+"/-/ready")
	return s
}

func (s *server) configure(config string) {
	s.t.Helper()
	if err := os.WriteFile(s.file, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// restart starts the server again on what it left behind.
func (s *server) restart() {
	s.t.Helper()
	s.Restart(s.t)
	s.WaitHTTP(s.t, s.url+"/-/ready")
}

// get decodes the data of an API answer.
func (s *server) get(path string, v any) {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s, %v", path, resp.Status, err)
	}
	if err := json.Unmarshal(answer.Data, v); err != nil {
		s.t.Fatal(err)
	}
}

// text returns the body of an answer.
func (s *server) text(path string) string {
	s.t.Helper()
	resp, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s, %v", path, resp.Status, err)
	}
	return string(b)
}

// metric returns the value of one exported series as it is written.
func (s *server) metric(series string) string {
	s.t.Helper()
	for l := range strings.Lines(s.text("/metrics")) {
		if value, ok := strings.CutPrefix(l, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	s.t.Fatalf("%s is not exported", series)
	return ""
}

func (s *server) policy(name string) status.Policy {
	s.t.Helper()
	var st status.Policy
	s.get("/api/v1/policies/"+name, &st)
	return st
}

// post sends a body and returns the status and the text of the answer.
func (s *server) post(path, body string) (int, string) {
	s.t.Helper()
	resp, err := http.Post(s.url+path, "application/json", strings.NewReader(body))
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

// fire delivers an alert as Alertmanager does.
func (s *server) fire(scale, scaleTarget string) { s.deliver("firing", scale, scaleTarget) }

func (s *server) deliver(status, scale, scaleTarget string) {
	s.t.Helper()
	ends := "0001-01-01T00:00:00Z"
	if status == "resolved" {
		ends = time.Now().UTC().Format(time.RFC3339Nano)
	}
	labels := map[string]string{"alertname": "Scale", "scale": scale, "scale_target": scaleTarget}
	body, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": "{}:{scale_target=" + scaleTarget + "}", "status": status, "receiver": "alertscaler",
		"groupLabels": map[string]string{}, "commonLabels": labels, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager", "truncatedAlerts": 0,
		"alerts": []any{map[string]any{
			"status": status, "labels": labels, "annotations": map[string]string{},
			"startsAt": "2026-01-01T00:00:00Z", "endsAt": ends, "generatorURL": "",
		}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if code, text := s.post("/webhook", string(body)); code != http.StatusAccepted {
		s.t.Fatalf("webhook: %d %s", code, text)
	}
}

// eventually waits until the policy is as the check wants it.
func (s *server) eventually(within time.Duration, what, name string, check func(status.Policy) error) {
	s.t.Helper()
	realtest.Eventually(s.t, within, 100*time.Millisecond, what, func() error {
		return check(s.policy(name))
	})
}

// replicas is a check for a converged count.
func replicas(want int) func(status.Policy) error {
	return func(st status.Policy) error {
		requested, ready := counts(st)
		if requested != want || ready != want {
			return fmt.Errorf("%d requested, %d ready, want %d; %s", requested, ready, want, st.Explanation)
		}
		return nil
	}
}

func counts(st status.Policy) (requested, ready int) {
	for _, t := range st.Targets {
		requested += t.Requested
		ready += t.Ready
	}
	return requested, ready
}

// sleepers is a policy that acts on alerts alone, on copies of sleep.
func sleepers(extra string) string {
	var b bytes.Buffer
	b.WriteString(extra)
	b.WriteString(`
policies:
  - name: web
    min: 1
    max: 20
    scale_up: { cooldown: 1s }
    scale_down: { cooldown: 1s }
    targets:
      - name: local
        process: { command: [sleep, "1000"] }
`)
	return b.String()
}
