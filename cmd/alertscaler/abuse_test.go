package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// The tests of abuse are not parallel: they would keep those from working that
// measure work, such as TestDockerLoop. Those that bound memory, or the time of
// an answer behind the work that abuse makes, run the program that users get.

// few starts a server that may have few files open.
var few = []string{"/bin/sh", "-c", `ulimit -n 256; exec "$@"`, "sh"}

// dial opens a connection and sends the bytes.
func (s *server) dial(text string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	// The other side may have hung up.
	_, _ = io.WriteString(conn, text)
	return conn
}

// answers wants an answer of the code within 10 seconds.
func (s *server) answers(method, path, body, user string, code int) {
	s.t.Helper()
	if err := s.asks(method, path, body, user, code); err != nil {
		s.t.Error(err)
	}
}

// asks returns what is wrong with the answer.
func (s *server) asks(method, path, body, user string, code int) error {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, "right")
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != code {
		return fmt.Errorf("%s %s: %s %.200s, want %d", method, path, resp.Status, text, code)
	}
	return nil
}

func webConfig(t testing.TB, users ...string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("basic_auth_users:\n")
	for _, u := range users {
		text = fmt.Appendf(text, "  %s: %q\n", u, hash)
	}
	file := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const emptyNotification = `{"version":"4","status":"firing","alerts":[]}`

// TestBodiesThatNeverEnd: with 256 files, 300 clients send a request each
// whose body never ends, on any path. Alertmanager and health checks are
// answered all the same.
func TestBodiesThatNeverEnd(t *testing.T) {
	// Unlike most tests here they keep the processors busy, and a client that is
	// not served within a second may make room for another.
	processors := make(chan struct{}, runtime.GOMAXPROCS(0))
	for name, path := range map[string]string{
		"page": "/", "API": "/api/v1/policies", "metrics": "/metrics", "health": "/-/healthy", "nothing": "/nothing",
		"reload": "/-/reload", "pause": "/api/v1/policies/web/pause", "webhook": "/webhook",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			processors <- struct{}{}
			defer func() { <-processors }()
			s := startServerBy(t, few, realtest.FreePort(t), sleepers(""), "--web.enable-admin-api")
			for _, head := range []string{"Content-Length: 1000000\r\n\r\nx", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"} {
				for range 150 {
					s.dial("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + head)
				}
			}
			for range 3 {
				s.answers("GET", "/-/healthy", "", "", http.StatusOK)
				s.answers("POST", "/webhook", emptyNotification, "", http.StatusAccepted)
			}
		})
	}
}

// TestNobodyIsKeptOutByStrangers: who has no credentials is told so before its
// body has come, headers that never end and connections that say nothing are
// in nobody's way, and those who have credentials are answered.
func TestNobodyIsKeptOutByStrangers(t *testing.T) {
	t.Parallel()
	port := realtest.FreePort(t)
	s := &server{t: t, url: fmt.Sprintf("http://127.0.0.1:%d", port), dir: t.TempDir()}
	s.file = filepath.Join(s.dir, "alertscaler.yml")
	s.configure(sleepers(""))
	s.Process = realtest.Start(t, few[0], append(few[1:], released(t), "--config.file="+s.file, "--storage.path="+filepath.Join(s.dir, "data"),
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--web.config.file="+webConfig(t, "alertmanager"))...)
	s.WaitHTTP(t, strings.Replace(s.url, "http://", "http://alertmanager:right@", 1)+"/-/ready")

	for name, text := range map[string]string{
		"a body that never ends":     "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
		"one of a page":              "GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
		"one with bad credentials":   "POST /webhook HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic eDp5\r\nContent-Length: 1000\r\n\r\nx",
		"headers that never end":     "POST /webhook HTTP/1.1\r\nHost: localhost\r\nX-A: ",
		"silence":                    "",
		"requests, answers not read": strings.Repeat("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000),
	} {
		for range 300 {
			s.dial(text)
		}
		// Who is hung up on for making room comes again, as Alertmanager does.
		for _, what := range []struct {
			method, path, body string
			code               int
		}{{"POST", "/webhook", emptyNotification, http.StatusAccepted}, {"GET", "/-/healthy", "", http.StatusOK}} {
			realtest.Eventually(t, 10*time.Second, 100*time.Millisecond, name+": others are answered", func() error {
				return s.asks(what.method, what.path, what.body, "alertmanager", what.code)
			})
		}
	}
	conn := s.dial("POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, " 401 ") {
		t.Errorf("without credentials and before its body: %q, %v", line, err)
	}
}

// rss is the memory of the server in MiB.
func (s *server) rss() int {
	s.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		s.t.Fatal(err)
	}
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				s.t.Fatal(err)
			}
			return kib >> 10
		}
	}
	s.t.Fatal("no VmRSS")
	return 0
}

// TestStalledBodiesTakeLittleMemory: of 100 bodies of 8 MiB each all comes but
// the last byte.
func TestStalledBodiesTakeLittleMemory(t *testing.T) {
	t.Parallel()
	s := startProgram(t, []string{released(t)}, realtest.FreePort(t), sleepers(""))
	before := s.rss()
	text := "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8388608\r\n\r\n" + strings.Repeat(" ", 8388607)
	for range 100 {
		conn := s.dial("")
		go func() { _, _ = io.WriteString(conn, text) }()
	}
	highest := 0
	for range 30 {
		highest = max(highest, s.rss())
		s.answers("POST", "/webhook", emptyNotification, "", http.StatusAccepted)
		time.Sleep(100 * time.Millisecond)
	}
	if highest > before+250 {
		t.Errorf("from %d to %d MiB", before, highest)
	}
}

// notification is one of n alerts for the policy web, numbered from a number,
// with so much text in each.
func notification(from, n int, scaleTarget string, text int) string {
	var b bytes.Buffer
	b.WriteString(`{"version":"4","receiver":"r","groupKey":"g","alerts":[`)
	long := strings.Repeat("x", text)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"status":"firing","labels":{"alertname":"A","instance":"%d","scale":"up","scale_target":%q},"annotations":{"a":%q},"startsAt":"2026-01-01T00:00:00Z"}`,
			from+i, scaleTarget, long)
	}
	b.WriteString("]}")
	return b.String()
}

// TestAFloodOfAlertsIsBounded: 300,000 alerts for one policy, and large ones
// for none. What fires already stays, and its repeats are taken in.
func TestAFloodOfAlertsIsBounded(t *testing.T) {
	t.Parallel()
	const posts, large = 30, 50
	s := startProgram(t, []string{released(t)}, realtest.FreePort(t), sleepers(""))
	s.fire("up", "web")
	codes := map[int]int{}
	for i := range posts {
		code, text := s.post("/webhook", notification(i*10_000, 10_000, "web", 300))
		codes[code]++
		if code == http.StatusServiceUnavailable && !strings.Contains(text, `policy "web" has 10000 already`) {
			t.Errorf("refused by %q", text)
		}
	}
	if codes[http.StatusServiceUnavailable] < posts-1 {
		t.Errorf("answers: %v", codes)
	}
	for i := range large {
		if code, text := s.post("/webhook", notification(i, 1, "nobody", 8_000_000)); code != http.StatusAccepted {
			t.Errorf("a large alert of nobody: %d %s", code, text)
		}
	}
	s.fire("up", "web") // a repeat
	if st := s.policy("web"); st.AlertsUp != 10_000 {
		t.Errorf("%d alerts, want 10000", st.AlertsUp)
	}
	if got := s.rss(); got > 450 {
		t.Errorf("%d MiB", got)
	}
	if got := s.metric(`alertscaler_alerts_refused_total{reason="policy_full"}`); got != strconv.Itoa((posts-1)*10_000+1) {
		t.Errorf("%s refused of %d posts", got, posts)
	}

	// They are read in pages.
	seen, pages, token := 0, 0, ""
	for {
		resp, err := http.Get(s.url + "/api/v1/alerts?limit=3000&next_token=" + token)
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Data      []json.RawMessage `json:"data"`
			NextToken string            `json:"nextToken"`
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		seen, pages = seen+len(page.Data), pages+1
		if len(page.Data) > 3000 {
			t.Fatalf("a page of %d", len(page.Data))
		}
		if token = page.NextToken; token == "" {
			break
		}
	}
	if seen != 10_000+large || pages != 4 {
		t.Errorf("%d alerts in %d pages", seen, pages)
	}
}

// TestRefusalsDoNotFillTheLog: there are a few lines, and how many there were
// not.
func TestRefusalsDoNotFillTheLog(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	for range 2000 {
		if code, _ := s.post("/webhook", "x"); code != http.StatusBadRequest {
			t.Fatal(code)
		}
	}
	if n := strings.Count(s.Log(), "notification refused"); n == 0 || n > 60 {
		t.Errorf("%d lines of 2000 refusals", n)
	}
	if !strings.Contains(s.Log(), "suppressed=") {
		t.Error("the log does not say how many it left out")
	}
}

// TestHostIsChecked: a page whose name leads here (DNS rebinding) gets
// nothing; Alertmanager and Prometheus may use any name.
func TestHostIsChecked(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""), "--web.enable-admin-api", "--web.external-url=https://alertscaler.example.com/")
	browser := map[string]string{"Accept-Language": "en", "User-Agent": "Mozilla/5.0", "Accept-Encoding": "gzip, deflate"}
	for _, tc := range []struct {
		host, method, path string
		headers            map[string]string
		code               int
	}{
		{"evil.example:9920", "GET", "/", nil, 421},
		{"evil.example:9920", "GET", "/api/v1/policies", nil, 421},
		{"evil.example:9920", "GET", "/api/v1/policies", browser, 421},
		{"evil.example:9920", "POST", "/-/reload", nil, 421},
		{"evil.example:9920", "POST", "/api/v1/policies/web/pause", nil, 421},
		{"evil.example:9920", "GET", "/metrics", browser, 421},
		{"evil.example:9920", "POST", "/webhook", map[string]string{"Origin": "http://evil.example:9920"}, 421},
		{"alertscaler.example.net:9920", "POST", "/webhook", nil, 202},
		{"alertscaler.example.net:9920", "GET", "/metrics", map[string]string{"Accept-Encoding": "gzip", "User-Agent": "Prometheus/3.0"}, 200},
		{"alertscaler.example.net:9920", "GET", "/-/healthy", nil, 200},
		{"alertscaler:9920", "POST", "/webhook", nil, 202},
		{"alertscaler:9920", "GET", "/api/v1/policies", browser, 200},
		{"localhost:9920", "GET", "/", browser, 200},
		{"LOCALHOST", "GET", "/", browser, 200},
		{"[::1]:9920", "GET", "/", browser, 200},
		{"192.0.2.7:9920", "GET", "/", browser, 200},
		{"alertscaler.monitoring.svc:9920", "GET", "/api/v1/policies", nil, 200},
		{"alertscaler.example.com", "GET", "/", browser, 200},
		{"alertscaler.example.com.", "GET", "/api/v1/policies", nil, 200},
		{"alertscaler.example.com.evil.example", "GET", "/", nil, 421},
	} {
		body := ""
		if tc.method == "POST" {
			body = emptyNotification
		}
		req, err := http.NewRequestWithContext(t.Context(), tc.method, s.url+tc.path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tc.host
		for name, value := range tc.headers {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tc.code {
			t.Errorf("%s %s as %s: %s %.200s, want %d", tc.method, tc.path, tc.host, resp.Status, text, tc.code)
		}
		if tc.code == 421 && !strings.Contains(string(text), "--web.external-url=http://") {
			t.Errorf("%s: %q", tc.host, text)
		}
	}
}

// TestTheOneWhoPausesIsTheOneWhoAuthenticated, whatever the body says.
func TestTheOneWhoPausesIsTheOneWhoAuthenticated(t *testing.T) {
	t.Parallel()
	port := realtest.FreePort(t)
	s := &server{t: t, url: fmt.Sprintf("http://bob:right@127.0.0.1:%d", port), dir: t.TempDir()}
	s.file = filepath.Join(s.dir, "alertscaler.yml")
	s.configure(sleepers(""))
	s.Process = realtest.Start(t, binary, "--config.file="+s.file, "--storage.path="+filepath.Join(s.dir, "data"), "--web.enable-admin-api",
		fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port), "--web.config.file="+webConfig(t, "bob"))
	s.WaitHTTP(t, s.url+"/-/ready")
	if code, text := s.post("/api/v1/policies/web/pause", `{"by":"ann","comment":"migration"}`); code != http.StatusOK || !strings.Contains(text, `"by":"bob"`) {
		t.Errorf("%d %s", code, text)
	}
}
