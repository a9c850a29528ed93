package webhook

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// world is a fake with something in it.
func world() *fake {
	return &fake{
		statuses: []status.Policy{
			{
				Name: "web", Mode: policy.ModeOn, Min: 2, Max: 20, AlertsUp: 1,
				Targets: []status.Target{{Name: "swarm", Platform: "docker_service", Requested: 4, Ready: 3, ReadAt: t0}},
				Last:    &policy.Decision{ID: "1", Policy: "web", Time: t0, Current: 4, Desired: 6, Reason: policy.ReasonScaledUp}, Explanation: "cpu needs 6 <replicas>",
			},
			{Name: "shop/eu", Mode: policy.ModeOff, Targets: []status.Target{{Name: "k8s", Error: "no route to host"}}},
		},
		decisions: []policy.Decision{{ID: "1", Policy: "web", Time: t0, Reason: policy.ReasonScaledUp}},
		firing:    []alerts.Alert{{Fingerprint: "a1", Status: alerts.Firing, Labels: map[string]string{"scale": "up"}, StartsAt: t0}},
		groups:    []TargetGroup{{Policy: "web", ScaleTarget: "shop_web", Target: "local", Addresses: []string{"127.0.0.1:1", "127.0.0.1:2"}}, {Policy: "idle", ScaleTarget: "idle", Target: "local"}},
	}
}

func request(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
	return w
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name, method, path string
		change             func(*fake)
		code               int
		body               string // contained
	}{
		{"all policies", "GET", "/api/v1/policies", nil, 200, `{"status":"success","data":[{"name":"web"`},
		{"no policies", "GET", "/api/v1/policies", func(f *fake) { f.statuses = nil }, 200, `{"status":"success","data":[]}`},
		{"a policy", "GET", "/api/v1/policies/web", nil, 200, `"explanation":"cpu needs 6 <replicas>"`},
		{"a policy with a slash", "GET", "/api/v1/policies/shop%2Feu", nil, 200, `"name":"shop/eu"`},
		{"no such policy", "GET", "/api/v1/policies/wbe", nil, 404, `{"status":"error","errorType":"not_found","error":"there is no policy \"wbe\""}`},
		{"decisions", "GET", "/api/v1/decisions", nil, 200, `{"status":"success","data":[{"id":"1","policy":"web"`},
		{"decisions of a policy that is gone", "GET", "/api/v1/decisions?policy=old", nil, 200, `"data":[{`},
		{"no decisions yet", "GET", "/api/v1/decisions?policy=web", func(f *fake) { f.decisions = nil }, 200, `"data":[]`},
		{"decisions of no such policy", "GET", "/api/v1/decisions?policy=wbe", func(f *fake) { f.decisions = nil }, 404, `there is no policy \"wbe\"`},
		{"bad since", "GET", "/api/v1/decisions?since=yesterday", nil, 400, `"errorType":"bad_data","error":"invalid parameter \"since\": \"yesterday\" is not a time (2026-01-05T08:00:00Z`},
		{"bad limit", "GET", "/api/v1/decisions?limit=0", nil, 400, `invalid parameter \"limit\": \"0\" is not a number from 1 to 10000`},
		{"the ledger fails", "GET", "/api/v1/decisions", func(f *fake) { f.err = errors.New("ledger closed") }, 500, `"errorType":"internal","error":"ledger closed"`},
		{"alerts", "GET", "/api/v1/alerts", nil, 200, `"data":[{"fingerprint":"a1"`},
		{"no alerts", "GET", "/api/v1/alerts", func(f *fake) { f.firing = nil }, 200, `"data":[]`},
		{"configuration", "GET", "/api/v1/status/config", nil, 200, `{"yaml":"policies: []\n"}`},
		{
			"discovery", "GET", "/api/v1/status/discovery", func(f *fake) {
				f.found = []DiscoveryStatus{{Name: "swarm", Platform: "docker_services", LastSuccess: t0, Things: []Discovered{
					{What: "service a", Policy: "a"},
					{What: "service b", Problems: []DiscoveryProblem{{Label: "alertscaler.max", Value: "ten", Msg: "is not a whole number"}}},
				}}}
			}, 200,
			`{"status":"success","data":[{"name":"swarm","platform":"docker_services","things":[{"what":"service a","policy":"a"},{"what":"service b","problems":[{"label":"alertscaler.max","value":"ten","problem":"is not a whole number"}]}],"last_success":"2026-01-05T08:00:00Z"}]}`,
		},
		{"no discovery", "GET", "/api/v1/status/discovery", nil, 200, `"data":[]`},
		{"build", "GET", "/api/v1/status/buildinfo", nil, 200, `"goVersion":"go1`},
		{"runtime", "GET", "/api/v1/status/runtimeinfo", nil, 200, `"reloadConfigSuccess":true,"lastConfigTime":"2026-01-05T08:00:00Z"`},
		{"runtime after a bad reload", "GET", "/api/v1/status/runtimeinfo", func(f *fake) { f.reloadErr = errors.New("line 3") }, 200, `"reloadConfigSuccess":false,"reloadConfigError":"line 3"`},
		{"nothing in the API", "GET", "/api/v2/alerts", nil, 404, `"errorType":"not_found"`},
		{"POST to a GET", "POST", "/api/v1/alerts", nil, 405, "want GET"},
		{
			"service discovery", "GET", "/sd/targets", nil, 200,
			`[{"targets":["127.0.0.1:1","127.0.0.1:2"],"labels":{"__meta_alertscaler_policy":"web","__meta_alertscaler_target":"local","scale_target":"shop_web"}},{"targets":[],`,
		},
		{"nothing to discover", "GET", "/sd/targets", func(f *fake) { f.groups = nil }, 200, "[]\n"},
		{"nothing known yet", "GET", "/sd/targets", func(f *fake) { f.readyErr = errors.New("3 policies wait") }, 503, "not Ready: 3 policies wait\n"},
		{"healthy", "GET", "/-/healthy", nil, 200, "Alertscaler is Healthy.\n"},
		{"ready", "GET", "/-/ready", nil, 200, "Alertscaler is Ready.\n"},
		{"not ready", "GET", "/-/ready", func(f *fake) { f.readyErr = errors.New("ledger is\nlocked") }, 503, "not Ready: ledger is locked\n"},
		{"reload", "POST", "/-/reload", nil, 200, ""},
		{"reload by PUT", "PUT", "/-/reload", nil, 200, ""},
		{"reload by GET", "GET", "/-/reload", nil, 405, "want POST or PUT"},
		{"reload of a bad file", "POST", "/-/reload", func(f *fake) { f.reloadErr = errors.New("alertscaler.yml:3: min > max") }, 500, "alertscaler.yml:3: min > max"},
		{"metrics", "GET", "/metrics", nil, 200, `alertscaler_webhook_requests_total{code="202"} 0`},
		{"page", "GET", "/", nil, 200, "<td>on</td>"},
		{"no page", "GET", "/index.php", nil, 404, "404"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := world()
			if tc.change != nil {
				tc.change(f)
			}
			h, _ := serve(t, f, nil)
			w := request(h, tc.method, tc.path)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("%s %s: %d %s\nwant %d and %s", tc.method, tc.path, w.Code, w.Body, tc.code, tc.body)
			}
			if tc.code == 405 && w.Header().Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if strings.Contains(tc.path, "/api/") && tc.code != 405 {
				if got := w.Header().Get("Content-Type"); got != "application/json" || !json.Valid(w.Body.Bytes()) {
					t.Errorf("%s, valid JSON: %v", got, json.Valid(w.Body.Bytes()))
				}
			}
			if tc.method == "GET" && tc.code == 200 {
				if head := request(h, "HEAD", tc.path); head.Code != 200 {
					t.Errorf("HEAD %s: %d", tc.path, head.Code)
				}
			}
		})
	}
}

func TestReloadDisabled(t *testing.T) {
	h, _ := serve(t, world(), func(o *Options) { o.Reloader = nil })
	if w := request(h, "POST", "/-/reload"); w.Code != 403 || !strings.Contains(w.Body.String(), "--web.enable-lifecycle") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestParseQuery(t *testing.T) {
	now := t0.Add(2 * time.Hour)
	for query, want := range map[string]Query{
		"":                                    {Limit: 100},
		"policy=web&limit=7":                  {Policy: "web", Limit: 7},
		"since=2026-01-05T09:00:00%2B01:00":   {Since: t0, Limit: 100},
		"since=1767600000":                    {Since: t0, Limit: 100},
		"since=1767600000.5":                  {Since: t0.Add(500 * time.Millisecond), Limit: 100},
		"since=2h":                            {Since: t0, Limit: 100},
		"since=1h60m":                         {Since: t0, Limit: 100},
		"limit=10000&since=&policy=&unknown=": {Limit: 10_000},
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+query, http.NoBody)
		got, err := parseQuery(r.URL.Query(), now)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{
		"since=-1", "since=NaN", "since=1e300", "since=-1h", "since=2026-01-05", "since=" + strings.Repeat("9", 300),
		"limit=-1", "limit=10001", "limit=ten", "limit=1.5", "limit=99999999999999999999",
	} {
		r := httptest.NewRequest(http.MethodGet, "/?"+query, http.NoBody)
		if q, err := parseQuery(r.URL.Query(), now); err == nil {
			t.Errorf("%s accepted: %+v", query, q)
		} else if len(err.Error()) > 200 {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestIndexPage(t *testing.T) {
	f := world()
	f.readyErr, f.reloadErr = errors.New("waiting for Alertmanager"), errors.New("alertscaler.yml:3: min > max")
	h, _ := serve(t, f, nil)
	w := request(h, "GET", "/")
	for _, want := range []string{
		"Not ready: waiting for Alertmanager",
		"alertscaler.yml:3: min &gt; max",
		`<a href="api/v1/policies/shop%2Feu">shop/eu</a>`,
		"swarm: 3 of 4 ready",
		"k8s: unknown, no route to host",
		"<strong>scaled_up</strong>, 4 → 6",
		"cpu needs 6 &lt;replicas&gt;",
		"allowed: 2 to 20",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy: %q", csp)
	}
	if strings.Contains(w.Body.String(), "//") && strings.Contains(w.Body.String(), "src=") {
		t.Error("the page loads something")
	}
}

// TestIndexPageHolds: what keeps a policy from acting is seen at a glance, and
// words that came from outside stay words.
func TestIndexPageHolds(t *testing.T) {
	f := world()
	f.statuses[0].Pause = &policy.Pause{Since: t0, Until: t0.Add(time.Hour), By: "ann", Comment: "<script>alert(1)</script>"}
	f.statuses[0].BlockUp = []string{"HighErrorRate", "Deploying"}
	f.statuses[1].Pause = &policy.Pause{Since: t0, By: "bob", Comment: "migration"}
	f.statuses[1].Silences = []policy.Pause{{By: "eve", Comment: "noise", Until: t0.Add(2 * time.Hour), Silence: "s1"}}
	f.statuses[1].BlockDown = []string{"Backup"}
	h, _ := serve(t, f, nil)
	body := request(h, "GET", "/").Body.String()
	for _, want := range []string{
		`<strong>Paused</strong> by ann until <time datetime="2026-01-05T09:00:00Z">2026-01-05T09:00:00Z</time>: &lt;script&gt;alert(1)&lt;/script&gt;`,
		"<strong>Paused</strong> by bob until resumed: migration",
		`<strong>Silenced</strong> by eve until <time datetime="2026-01-05T10:00:00Z">2026-01-05T10:00:00Z</time>: noise`,
		"<strong>Blocked</strong> upwards by HighErrorRate, Deploying",
		"<strong>Blocked</strong> downwards by Backup",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if !strings.HasPrefix(body, "<!DOCTYPE html>") {
		t.Errorf("the page begins with %.40q", body)
	}
}

func TestOpenMetrics(t *testing.T) {
	h, _ := serve(t, world(), nil)
	r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text") || !strings.HasSuffix(w.Body.String(), "# EOF\n") {
		t.Errorf("Content-Type %q", got)
	}
}

func TestMetricsLint(t *testing.T) {
	_, reg := serve(t, world(), nil)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestNewRefuses(t *testing.T) {
	f := world()
	whole := Options{Receiver: f, Policies: f, Decisions: f, Alerts: f, Config: f}
	if _, err := New(whole); err != nil {
		t.Errorf("only what is required: %v", err)
	}
	for name, without := range map[string]func(*Options){
		"Receiver":  func(o *Options) { o.Receiver = nil },
		"Policies":  func(o *Options) { o.Policies = nil },
		"Decisions": func(o *Options) { o.Decisions = nil },
		"Alerts":    func(o *Options) { o.Alerts = nil },
		"Config":    func(o *Options) { o.Config = nil },
	} {
		o := whole
		without(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestDefaults serves with nothing but what is required.
func TestDefaults(t *testing.T) {
	f := world()
	h, err := New(Options{Receiver: f, Policies: f, Decisions: f, Alerts: f, Config: f})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/": 200, "/metrics": 200, "/-/ready": 200, "/sd/targets": 200} {
		if w := request(h, "GET", path); w.Code != want {
			t.Errorf("GET %s: %d, want %d", path, w.Code, want)
		}
	}
	if w := post(h, fixture(t, "firing_v0.31.good.json")); w.Code != 202 {
		t.Errorf("POST /webhook: %d", w.Code)
	}
}
