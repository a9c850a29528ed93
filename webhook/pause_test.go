package webhook

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// send posts the body as ann would.
func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const pauseWeb = "/api/v1/policies/web/pause"

func TestPause(t *testing.T) {
	for _, tc := range []struct {
		name, path, body string
		want             policy.Pause
	}{
		{
			"for a while", pauseWeb, `{"for":"2h","by":"ann","comment":"migration"}`,
			policy.Pause{Since: t0, Until: t0.Add(2 * time.Hour), By: "ann", Comment: "migration"},
		},
		{
			"for days, as Prometheus writes them", pauseWeb, `{"for":"1d12h","by":"ann","comment":"migration"}`,
			policy.Pause{Since: t0, Until: t0.Add(36 * time.Hour), By: "ann", Comment: "migration"},
		},
		{
			"until a time elsewhere", pauseWeb, `{"until":"2026-01-05T12:00:00+02:00","by":"ann","comment":"migration"}`,
			policy.Pause{Since: t0, Until: t0.Add(2 * time.Hour), By: "ann", Comment: "migration"},
		},
		{
			"until resumed", pauseWeb, ` {"for":null,"by":" ann ","comment":" two\nlines "} ` + "\n",
			policy.Pause{Since: t0, By: "ann", Comment: "two\nlines"},
		},
		{
			"words as long as may be", pauseWeb, `{"by":"` + strings.Repeat("a", maxWords) + `","comment":"` + strings.Repeat("c", maxWords) + `"}`,
			policy.Pause{Since: t0, By: strings.Repeat("a", maxWords), Comment: strings.Repeat("c", maxWords)},
		},
		{
			"a name with a slash", "/api/v1/policies/shop%2Feu/pause", `{"by":"ann","comment":"x"}`,
			policy.Pause{Since: t0, By: "ann", Comment: "x"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := world()
			h, _ := serve(t, f, nil)
			w := send(h, "POST", tc.path, tc.body)
			if w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var got struct {
				Status string       `json:"status"`
				Data   policy.Pause `json:"data"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Status != "success" {
				t.Errorf("%v: %s", err, w.Body)
			}
			if diff := cmp.Diff(tc.want, got.Data); diff != "" {
				t.Errorf("answered (-want +got):\n%s", diff)
			}
			name := "web"
			if tc.path != pauseWeb {
				name = "shop/eu"
			}
			if diff := cmp.Diff(map[string]policy.Pause{name: tc.want}, f.paused); diff != "" {
				t.Errorf("paused (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPauseAuthor: who authenticated is the author, whatever the body says.
func TestPauseAuthor(t *testing.T) {
	for body, want := range map[string]string{
		`{"comment":"x"}`:            "operator",
		`{"comment":"x","by":" "}`:   "operator",
		`{"comment":"x","by":"ann"}`: "operator",
	} {
		f := world()
		h, _ := serve(t, f, nil)
		w := send(h, "POST", pauseWeb, body, "Authorization", "Basic b3BlcmF0b3I6c2VjcmV0")
		if got := f.paused["web"].By; w.Code != 200 || got != want {
			t.Errorf("%s: %d, by %q, want %q", body, w.Code, got, want)
		}
	}
}

func TestPauseRefuses(t *testing.T) {
	long := strings.Repeat("x", maxWords+1)
	for _, tc := range []struct {
		name, method, path, body string
		change                   func(*fake)
		code                     int
		kind                     errorType
		says                     string
	}{
		{"no body", "POST", pauseWeb, "", nil, 400, errorBadData, `the body is empty; want a JSON object such as {"for":"2h"`},
		{"a form", "POST", pauseWeb, "for=2h&by=ann", nil, 400, errorBadData, "the body is not JSON (invalid character 'o'"},
		{"cut off", "POST", pauseWeb, `{"for":"2h"`, nil, 400, errorBadData, "the body is not JSON (unexpected EOF); want"},
		{"a list", "POST", pauseWeb, `[]`, nil, 400, errorBadData, "the body is a JSON array; want"},
		{"a number of seconds", "POST", pauseWeb, `{"for":7200,"by":"ann","comment":"x"}`, nil, 400, errorBadData, `"for" is a JSON number and must be a string; want`},
		{"an unknown field", "POST", pauseWeb, `{"duration":"2h","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"duration" is not a field of a pause; there are "for"`},
		{"the server's field", "POST", pauseWeb, `{"since":"2026-01-01T00:00:00Z","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"since" is not a field`},
		{"trailing garbage", "POST", pauseWeb, `{"by":"ann","comment":"x"}}`, nil, 400, errorBadData, "there is more after the JSON object; want"},
		{"two documents", "POST", pauseWeb, `{"by":"ann","comment":"x"} {}`, nil, 400, errorBadData, "there is more after the JSON object; want"},
		{"nobody", "POST", pauseWeb, `{"for":"2h","comment":"x"}`, nil, 400, errorBadData, `"by" is missing: say who`},
		{"no comment", "POST", pauseWeb, `{"for":"2h","by":"ann"}`, nil, 400, errorBadData, `"comment" is missing: say why`},
		{"null", "POST", pauseWeb, `null`, nil, 400, errorBadData, `"by" is missing`},
		{"a blank comment", "POST", pauseWeb, `{"by":"ann","comment":"  \n"}`, nil, 400, errorBadData, `"comment" is missing`},
		{"a long author", "POST", pauseWeb, `{"by":"` + long + `","comment":"x"}`, nil, 400, errorBadData, `"by" has 1025 bytes; at most 1024 are kept`},
		{"a long comment", "POST", pauseWeb, `{"by":"ann","comment":"` + long + `"}`, nil, 400, errorBadData, `"comment" has 1025 bytes; at most 1024 are kept`},
		{"for and until", "POST", pauseWeb, `{"for":"2h","until":"2026-01-05T12:00:00Z","by":"ann","comment":"x"}`, nil, 400, errorBadData, `both "for" and "until" are given; give one, or neither`},
		{"for no time", "POST", pauseWeb, `{"for":"0s","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"for" is "0s", which is not a duration longer than 0; want such as 90s`},
		{"for less", "POST", pauseWeb, `{"for":"-1h","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"for" is "-1h"`},
		{"for an unset variable", "POST", pauseWeb, `{"for":"","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"for" is ""`},
		{"for ever", "POST", pauseWeb, `{"for":"9000y","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"for" is "9000y"`},
		{"until tomorrow", "POST", pauseWeb, `{"until":"tomorrow","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"until" is "tomorrow", which is not a time; want such as 2026-01-05T10:00:00Z`},
		{"until now", "POST", pauseWeb, `{"until":"2026-01-05T08:00:00Z","by":"ann","comment":"x"}`, nil, 400, errorBadData, `"until" is 2026-01-05T08:00:00Z, which is past`},
		{"until the year 10000", "POST", pauseWeb, `{"until":"9999-12-31T23:59:59-01:00","by":"ann","comment":"x"}`, nil, 400, errorBadData, "which is not a time"},
		{"a large body", "POST", pauseWeb, `{"by":"ann","comment":"x"}` + strings.Repeat(" ", maxAdminBody), nil, 400, errorBadData, "the body is larger than 65536 bytes; want"},
		{"no such policy", "POST", "/api/v1/policies/wbe/pause", `{"by":"ann","comment":"x"}`, nil, 404, errorNotFound, `there is no policy "wbe"`},
		{"the ledger fails", "POST", pauseWeb, `{"by":"ann","comment":"x"}`, func(f *fake) { f.pauseErr = errors.New("ledger closed") }, 500, errorInternal, "ledger closed"},
		{"GET", "GET", pauseWeb, "", nil, 405, "", "want POST"},
		{"PUT", "PUT", pauseWeb, `{"by":"ann","comment":"x"}`, nil, 405, "", "want POST"},
		{"resume of no such policy", "POST", "/api/v1/policies/wbe/resume", "", nil, 404, errorNotFound, `there is no policy "wbe"`},
		{"resume and the ledger fails", "POST", "/api/v1/policies/web/resume", "", func(f *fake) { f.pauseErr = errors.New("ledger closed") }, 500, errorInternal, "ledger closed"},
		{"resume with a large body", "POST", "/api/v1/policies/web/resume", strings.Repeat(" ", maxAdminBody+1), nil, 400, errorBadData, "the body is larger than 65536 bytes"},
		{"retry of no such policy", "POST", "/api/v1/policies/wbe/retry", "", nil, 404, errorNotFound, `there is no policy "wbe"`},
		{"retry with a large body", "POST", "/api/v1/policies/web/retry", strings.Repeat(" ", maxAdminBody+1), nil, 400, errorBadData, "the body is larger than 65536 bytes"},
		{"retry by GET", "GET", "/api/v1/policies/web/retry", "", nil, 405, "", "want POST"},
		{"resume by GET", "GET", "/api/v1/policies/web/resume", "", nil, 405, "", "want POST"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := world()
			if tc.change != nil {
				tc.change(f)
			}
			h, _ := serve(t, f, nil)
			w := send(h, tc.method, tc.path, tc.body)
			if w.Code != tc.code {
				t.Errorf("%d, want %d: %s", w.Code, tc.code, w.Body)
			}
			said := w.Body.String()
			if tc.code == 405 {
				if w.Header().Get("Allow") != "POST" {
					t.Errorf("Allow: %q", w.Header().Get("Allow"))
				}
			} else {
				var got envelope
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Status != "error" || got.ErrorType != tc.kind {
					t.Errorf("%v: %+v, want the type %s", err, got, tc.kind)
				}
				said = got.Error
			}
			if !strings.Contains(said, tc.says) {
				t.Errorf("said    %s\nwant in it %s", said, tc.says)
			}
			if len(f.paused) > 0 {
				t.Errorf("paused all the same: %v", f.paused)
			}
		})
	}
}

func TestResume(t *testing.T) {
	f := world()
	f.paused = map[string]policy.Pause{"web": {By: "ann"}}
	h, _ := serve(t, f, nil)
	for _, step := range []struct{ body, want string }{
		{"not even JSON", `{"status":"success","data":{"resumed":true}}`},
		{"", `{"status":"success","data":{"resumed":false}}`},
	} {
		w := send(h, "POST", "/api/v1/policies/web/resume", step.body)
		if w.Code != 200 || strings.TrimSpace(w.Body.String()) != step.want {
			t.Errorf("%d %s, want %s", w.Code, w.Body, step.want)
		}
	}
}

func TestRetry(t *testing.T) {
	h, _ := serve(t, world(), nil)
	for _, want := range []string{`{"status":"success","data":{"held":true}}`, `{"status":"success","data":{"held":false}}`} {
		w := send(h, "POST", "/api/v1/policies/web/retry", "")
		if w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
	}
}

func TestAdminAPIDisabled(t *testing.T) {
	h, _ := serve(t, world(), func(o *Options) { o.Pauses = nil })
	for _, path := range []string{pauseWeb, "/api/v1/policies/web/resume", "/api/v1/policies/web/retry"} {
		w := send(h, "POST", path, `{"by":"ann","comment":"x"}`)
		if w.Code != 403 || !strings.Contains(w.Body.String(), `"errorType":"forbidden"`) || !strings.Contains(w.Body.String(), "--web.enable-admin-api") {
			t.Errorf("POST %s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestPauseFromAnotherSite: no page of another site may pause through the
// browser of somebody who can.
func TestPauseFromAnotherSite(t *testing.T) {
	for _, path := range []string{pauseWeb, "/api/v1/policies/web/resume", "/api/v1/policies/web/retry"} {
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"},
			{"Origin", "https://evil.example"},
		} {
			f := world()
			f.paused = map[string]policy.Pause{"web": {By: "ann"}}
			h, _ := serve(t, f, nil)
			w := send(h, "POST", path, `{"by":"eve","comment":"x"}`, headers...)
			if w.Code != 403 || f.paused["web"].By != "ann" || f.retried {
				t.Errorf("POST %s with %v: %d, paused by %q", path, headers, w.Code, f.paused["web"].By)
			}
		}
	}
}

// TestPauseOfASlowClient: a body that does not come is not waited for.
func TestPauseOfASlowClient(t *testing.T) {
	h, _ := serve(t, world(), func(o *Options) { o.ReadTimeout = 50 * time.Millisecond })
	server := httptest.NewServer(h)
	defer server.Close()
	body, end := io.Pipe()
	defer end.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+pauseWeb, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(said), "did not arrive within 50ms") {
		t.Errorf("%s: %s", resp.Status, said)
	}
}
