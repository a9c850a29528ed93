package webhook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/alerts"
)

const fixtures = "../testdata/webhook"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// post sends body to the webhook and returns the answer.
func post(h http.Handler, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(body)))
	return w
}

// reasons are what the bad bodies are told, by file.
var reasons = map[string]string{
	"an_array":                 "the body is a JSON array; want an object",
	"cut_off":                  "cut off after",
	"empty":                    "cut off after 0 bytes",
	"fingerprint_not_hex":      `alerts[0] ("ScaleUp"): fingerprint "web-cpu" is not a hexadecimal number`,
	"labels_not_strings":       `alerts[0]: labels: "scale" is the JSON number 1; want a string`,
	"no_alerts":                "no alerts",
	"no_fingerprint_no_labels": "alerts[0]: no labels",
	"no_status":                `alerts[1] ("ScaleUp"): no status`,
	"no_version":               "no version",
	"not_json":                 "not JSON: invalid character '<'",
	"null":                     "no version",
	"slack_payload":            "no version",
	"status_in_capitals":       `alerts[0] ("ScaleUp"): status "FIRING" is neither firing nor resolved`,
	"status_suppressed":        `alerts[0] ("ScaleUp"): status "suppressed" is neither`,
	"time_is_a_number":         `alerts[0] ("ScaleUp"): startsAt is the JSON number 1767600000; want a time such as "2026-01-05T08:00:00Z"`,
	"time_is_a_word":           `alerts[0] ("ScaleUp"): startsAt is the JSON string "yesterday"; want a time such as`,
	"time_out_of_range":        `alerts[0] ("ScaleUp"): startsAt lies outside of the years`,
	"trailing_garbage":         "more than one JSON document: invalid character 'a'",
	"truncated_negative":       "truncatedAlerts is a JSON number -1; want a whole number of at least 0",
	"two_documents":            "more than one JSON document: invalid character '{'",
	"version_3":                `version "3" is not understood, want "4"`,
	"version_number":           "version is a JSON number; want a string",
}

// TestBodies posts every file of testdata/webhook; its name has the verdict.
func TestBodies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			f := new(fake)
			h, _ := serve(t, f, nil)
			w := post(h, fixture(t, name))
			verdict, good := strings.CutSuffix(name, ".good.json")
			if good {
				if w.Code != http.StatusAccepted || w.Body.Len() != 0 || len(f.received) != 1 {
					t.Errorf("answer %d %q, %d notifications taken in; want 202", w.Code, w.Body, len(f.received))
				}
				return
			}
			verdict = strings.TrimSuffix(verdict, ".bad.json")
			want, ok := reasons[verdict]
			if !ok {
				t.Fatalf("no reason is expected of %s", name)
			}
			got := w.Body.String()
			if w.Code != http.StatusBadRequest || !strings.Contains(got, want) {
				t.Errorf("answer %d %q, want 400 %q", w.Code, got, want)
			}
			if strings.Count(got, "\n") != 1 || len(got) > maxReason+8 {
				t.Errorf("the reason is not one short line: %q", got)
			}
			if len(f.received) != 0 {
				t.Errorf("taken in: %+v", f.received)
			}
		})
	}
}

func TestParse(t *testing.T) {
	labels := map[string]string{"alertname": "ScaleUp", "scale": "up", "scale_target": "web"}
	for name, want := range map[string]alerts.Alert{
		"payload_without_fingerprint.good.json":  {Fingerprint: "2d7c0214f173cf66", Status: "firing", Labels: labels, StartsAt: t0},
		"payload_with_an_expected_end.good.json": {Fingerprint: "1a2b3c4d5e6f7081", Status: "firing", Labels: labels, Annotations: map[string]string{}, StartsAt: t0},
		"fingerprint_in_capitals.good.json":      {Fingerprint: "1a2b3c4d5e6f7081", Status: "firing", Labels: labels, Annotations: map[string]string{}, StartsAt: t0},
		"time_zones.good.json":                   {Fingerprint: "1a2b3c4d5e6f7081", Status: "firing", Labels: labels, Annotations: map[string]string{}, StartsAt: t0.Add(123456789)},
	} {
		n, err := parse(fixture(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff([]alerts.Alert{want}, n.Alerts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	n, err := parse(fixture(t, "truncated_v0.34.good.json"))
	if err != nil || n.Truncated != 1 || n.Receiver != "few" || !strings.Contains(n.GroupKey, "truncated") {
		t.Errorf("truncated: %+v, %v", n, err)
	}
}

// TestFingerprintIsAlertmanagers takes the fingerprints out of what a real
// Alertmanager sent and computes them.
func TestFingerprintIsAlertmanagers(t *testing.T) {
	body := fixture(t, "mixed_v0.34.good.json")
	sent, err := parse(body)
	if err != nil {
		t.Fatal(err)
	}
	computed, err := parse(bytes.ReplaceAll(body, []byte(`"fingerprint"`), []byte(`"x"`)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent, computed); diff != "" {
		t.Errorf("(-sent +computed):\n%s", diff)
	}
}

func TestWebhookCodes(t *testing.T) {
	good := fixture(t, "firing_v0.34.good.json")
	big := []byte(fmt.Sprintf(`{"version":"4","alerts":[],"x":%q}`, strings.Repeat("x", 4096)))
	for _, tc := range []struct {
		name   string
		fake   func(context.Context) error
		method string
		body   []byte
		chunks bool // no Content-Length
		origin string
		code   int
		reason string
	}{
		{name: "taken in", body: good, code: 202},
		{name: "GET", method: "GET", code: 405, reason: "want POST"},
		{name: "PUT", method: "PUT", body: good, code: 405, reason: "want POST"},
		{name: "too large, by its length", body: big, code: 413, reason: "larger than 4000 bytes"},
		{name: "too large, unannounced", body: big, chunks: true, code: 413, reason: "larger than 4000 bytes"},
		{
			name: "the book could not take it", body: good, code: 503, reason: "disk full",
			fake: func(context.Context) error { return errors.New("disk\nfull") },
		},
		{name: "posted by another site's page", body: good, origin: "https://evil.example", code: 403, reason: "cross-origin"},
		{
			name: "a panic", body: good, code: 500, reason: "internal error",
			fake: func(context.Context) error { panic("a bug") },
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, reg := serve(t, &fake{receive: tc.fake}, func(o *Options) { o.MaxBody = 4000 })
			r := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(tc.body))
			if tc.method != "" {
				r.Method = tc.method
			}
			if tc.chunks {
				r.ContentLength = -1
			}
			if tc.origin != "" {
				r.Header.Set("Origin", tc.origin)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.reason) {
				t.Errorf("answer %d %q, want %d %q", w.Code, w.Body, tc.code, tc.reason)
			}
			if tc.code != 202 && strings.Count(w.Body.String(), "\n") != 1 {
				t.Errorf("the reason is not one line: %q", w.Body)
			}
			if allow := w.Header().Get("Allow"); (tc.code == 405) != (allow == "POST") {
				t.Errorf("Allow: %q", allow)
			}
			want := fmt.Sprintf(`
				# HELP alertscaler_http_panics_total Requests whose handler panicked; each is a bug.
				# TYPE alertscaler_http_panics_total counter
				alertscaler_http_panics_total %d
				# HELP alertscaler_webhook_alerts_total Alerts in the notifications that were taken in, by the alert's own status.
				# TYPE alertscaler_webhook_alerts_total counter
				alertscaler_webhook_alerts_total{status="firing"} %d
				alertscaler_webhook_alerts_total{status="resolved"} 0
				# HELP alertscaler_webhook_requests_total Requests to the webhook, by the HTTP status code of the answer.
				# TYPE alertscaler_webhook_requests_total counter
				`, count(tc.code == 500), 2*count(tc.code == 202))
			var counts strings.Builder
			for _, code := range webhookCodes {
				fmt.Fprintf(&counts, "alertscaler_webhook_requests_total{code=\"%d\"} %d\n", code, count(code == tc.code))
			}
			want += counts.String()
			err := testutil.GatherAndCompare(reg, strings.NewReader(want), "alertscaler_webhook_requests_total",
				"alertscaler_webhook_alerts_total", "alertscaler_http_panics_total")
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestWebhookNeverRedirects posts to every spelling of the path.
func TestWebhookNeverRedirects(t *testing.T) {
	f := new(fake)
	h, _ := serve(t, f, nil)
	srv := httptest.NewServer(h)
	defer srv.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{
		"/webhook": 202, "/webhook/": 202, "//webhook": 202, "/./webhook": 202, "/x/../webhook": 202, "/webhook?a=b": 202,
		"/webhooks": 404, "/Webhook": 404, "/api/../webhook//": 202, "/": 405, "/sd/targets/": 405, "/nothing": 404, "/api/v1/nothing": 404, "/api": 404, "/api/": 404,
	} {
		resp, err := client.Post(srv.URL+path, "text/plain", bytes.NewReader(fixture(t, "firing_v0.34.good.json")))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("POST %s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	if len(f.received) != 7 {
		t.Errorf("%d notifications taken in, want 7", len(f.received))
	}
}

// slowSenders are 50 connections on which a body has begun that never ends.
func slowSenders(t *testing.T, srv *httptest.Server) []net.Conn {
	t.Helper()
	var slow []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"version\":")
		slow = append(slow, c)
	}
	return slow
}

// TestSlowBodies: nobody else waits for senders that never finish.
func TestSlowBodies(t *testing.T) {
	const timeout = 2 * time.Minute
	h, _ := serve(t, new(fake), func(o *Options) { o.ReadTimeout = timeout })
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close) // after their connections
	slowSenders(t, srv)
	start := time.Now()
	for range 20 {
		resp, err := http.Post(srv.URL+"/webhook", "application/json", bytes.NewReader(fixture(t, "firing_v0.34.good.json")))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			t.Fatalf("answer %d", resp.StatusCode)
		}
	}
	if took := time.Since(start); took > timeout/2 {
		t.Errorf("20 notifications took %v beside the slow ones", took)
	}
}

// TestSlowBodiesEnd: those who never finish are told off.
func TestSlowBodiesEnd(t *testing.T) {
	h, _ := serve(t, new(fake), func(o *Options) { o.ReadTimeout = 500 * time.Millisecond })
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	for _, c := range slowSenders(t, srv) {
		if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
			t.Fatalf("a body that never came was answered %d, close %v", resp.StatusCode, resp.Close)
		}
	}
}

// TestDeadlineEndsWithBody has the book take longer than the body may: the
// deadline is the body's, and the connection serves the next request.
func TestDeadlineEndsWithBody(t *testing.T) {
	f := &fake{receive: func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
			return nil
		}
	}}
	h, _ := serve(t, f, func(o *Options) { o.ReadTimeout = 100 * time.Millisecond })
	srv := httptest.NewServer(h)
	defer srv.Close()
	for range 2 {
		resp, err := http.Post(srv.URL+"/webhook", "application/json", bytes.NewReader(fixture(t, "firing_v0.34.good.json")))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			t.Errorf("answer %d", resp.StatusCode)
		}
	}
}
