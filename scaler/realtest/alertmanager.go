package realtest

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
)

// AlertmanagerOptions say how an Alertmanager is started.
type AlertmanagerOptions struct {
	// Config is the content of alertmanager.yml. It must have a route.
	Config string
	// Args are added to the command line. Without a --cluster.listen-address
	// among them the server stands alone.
	Args []string
}

// Alertmanager is a running Alertmanager.
type Alertmanager struct {
	*Process
	// URL is where it listens, without a slash at the end.
	URL string
	// Dir has alertmanager.yml.
	Dir string
}

// Alert is an alert as Alertmanager's API takes and gives it. Zero times are
// left to Alertmanager: it starts now and ends resolve_timeout later.
type Alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt,omitzero"`
	EndsAt       time.Time         `json:"endsAt,omitzero"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
	// Fingerprint and Status are only read.
	Fingerprint string      `json:"fingerprint,omitempty"`
	Status      AlertStatus `json:"status,omitzero"`
}

// AlertStatus is what Alertmanager makes of an alert.
type AlertStatus struct {
	State       string   `json:"state"` // active, suppressed or unprocessed
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
}

// StartAlertmanager runs an Alertmanager on a free loopback port until the test
// ends, and returns once it is ready.
func StartAlertmanager(t testing.TB, o AlertmanagerOptions) *Alertmanager {
	t.Helper()
	bin := Tool(t, "alertmanager")
	dir := t.TempDir()
	if err := writeFiles(dir, map[string]string{"alertmanager.yml": o.Config}); err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(FreePort(t))
	args := append([]string{
		"--config.file=" + filepath.Join(dir, "alertmanager.yml"),
		"--storage.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address,
	}, o.Args...)
	if !strings.Contains(strings.Join(o.Args, " "), "--cluster.listen-address") {
		args = append(args, "--cluster.listen-address=")
	}
	a := &Alertmanager{Process: Start(t, bin, args...), URL: "http://" + address, Dir: dir}
	a.WaitHTTP(t, a.URL+"/-/ready")
	return a
}

// Reload replaces alertmanager.yml and lets the server load it.
func (a *Alertmanager) Reload(t testing.TB, config string) {
	t.Helper()
	if err := writeFiles(a.Dir, map[string]string{"alertmanager.yml": config}); err != nil {
		t.Fatal(err)
	}
	a.do(t, http.MethodPost, "/-/reload", nil, nil)
}

// PostAlerts sends alerts as Prometheus does. One is resolved by posting it
// again with an EndsAt in the past.
func (a *Alertmanager) PostAlerts(t testing.TB, alerts ...Alert) {
	t.Helper()
	a.do(t, http.MethodPost, "/api/v2/alerts", alerts, nil)
}

// Alerts returns the alerts that Alertmanager holds, silenced and inhibited
// ones included.
func (a *Alertmanager) Alerts(t testing.TB) []Alert {
	t.Helper()
	var alerts []Alert
	a.do(t, http.MethodGet, "/api/v2/alerts", nil, &alerts)
	return alerts
}

// Silence silences what the matchers, such as `{scale_target="web"}`, match
// from now on and returns the silence's id.
func (a *Alertmanager) Silence(t testing.TB, matchers string, d time.Duration) string {
	t.Helper()
	parsed, err := labels.ParseMatchers(matchers)
	if err != nil {
		t.Fatalf("silence: %v", err)
	}
	silence := struct {
		Matchers  labels.Matchers `json:"matchers"`
		StartsAt  time.Time       `json:"startsAt"`
		EndsAt    time.Time       `json:"endsAt"`
		CreatedBy string          `json:"createdBy"`
		Comment   string          `json:"comment"`
	}{parsed, time.Now(), time.Now().Add(d), "realtest", t.Name()}
	var created struct {
		SilenceID string `json:"silenceID"`
	}
	a.do(t, http.MethodPost, "/api/v2/silences", silence, &created)
	return created.SilenceID
}

// ExpireSilence ends a silence.
func (a *Alertmanager) ExpireSilence(t testing.TB, id string) {
	t.Helper()
	a.do(t, http.MethodDelete, "/api/v2/silence/"+url.PathEscape(id), nil, nil)
}

func (a *Alertmanager) do(t testing.TB, method, path string, in, out any) {
	t.Helper()
	if err := call(client, method, a.URL+path, in, out); err != nil {
		t.Fatal(err)
	}
}
