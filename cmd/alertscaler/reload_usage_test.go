package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// slowPrometheus says that everything uses demand, at its leisure where it is
// told to wait.
type slowPrometheus struct {
	*httptest.Server
	mu      sync.Mutex // guards what follows
	demand  string
	raw     string        // in place of all answers, where set
	held    string        // who asks for this waits
	release chan struct{} // until then; nil: nobody waits
	waiting int
}

func startSlowPrometheus(t testing.TB) *slowPrometheus {
	p := &slowPrometheus{demand: "4.5"}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		value, release, raw := p.demand, p.release, p.raw
		if !strings.Contains(r.FormValue("query"), p.held) {
			release = nil
		}
		if release != nil {
			p.waiting++
		}
		p.mu.Unlock()
		if release != nil {
			<-release
		}
		if raw != "" {
			fmt.Fprint(w, strings.ReplaceAll(raw, "@", r.FormValue("time")))
			return
		}
		if strings.HasPrefix(r.FormValue("query"), "timestamp(") {
			value = r.FormValue("time")
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"scale_target":"web","resource":"cpu"},"value":[%s,%q]}]}}`, r.FormValue("time"), value)
	}))
	t.Cleanup(p.Close)
	return p
}

// hold lets all who ask for a query wait, and returns once somebody does; the
// function it returns lets them go.
func (p *slowPrometheus) hold(t testing.TB, query string) func() {
	t.Helper()
	release := make(chan struct{})
	p.mu.Lock()
	p.held, p.release, p.waiting = query, release, 0
	p.mu.Unlock()
	letGo := sync.OnceFunc(func() {
		p.mu.Lock()
		p.release = nil
		p.mu.Unlock()
		close(release)
	})
	t.Cleanup(letGo)
	realtest.Eventually(t, 30*time.Second, 10*time.Millisecond, "usage is being read", func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waiting == 0 {
			return errors.New("no query waits")
		}
		return nil
	})
	return letGo
}

func (p *slowPrometheus) set(demand string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.demand = demand
}

// A reload while usage is read changes no decision: neither where the section
// about Prometheus stays as it is, nor where it changes, does an evaluation in
// flight lose its reading, and the window that a scale-down waits for goes on.
func TestReloadWhileUsageIsRead(t *testing.T) {
	t.Parallel()
	p := startSlowPrometheus(t)
	config := fmt.Sprintf(`
global: { evaluation_interval: 300ms }
prometheus: { url: %s, timeout: 60s, basic_auth: { username: a, password: b } }
policies:
  - name: web
    min: 1
    max: 8
    resources:
      - { name: cpu, capacity_per_replica: 1, min_coverage: 0 }
      - { name: jobs, usage: sum(jobs), capacity_per_replica: 1 }
    scale_down: { stabilization: 1h, cooldown: 0s }
    targets:
      - name: local
        process: { command: [sleep, "1000"] }
`, p.URL)
	s := startServer(t, config)
	s.fire("up", "web")
	s.eventually(time.Minute, "five replicas", "web", replicas(5))
	s.deliver("resolved", "up", "web")
	p.set("1.5")
	s.fire("down", "web")
	var until time.Time
	s.eventually(time.Minute, "the scale-down waits for its window", "web", func(st status.Policy) (err error) {
		until, err = stabilizedAt(st)
		return err
	})

	changed := strings.Replace(config, "timeout: 60s", "timeout: 61s", 1)
	for i, change := range []string{config, config, changed, config} {
		letGo := p.hold(t, []string{"usage:sum", "jobs"}[i%2])
		s.configure(change)
		if code, text := s.post("/-/reload", ""); code != http.StatusOK {
			t.Fatalf("reload: %d %s", code, text)
		}
		before := s.policy("web").Last.Time
		letGo()
		s.eventually(time.Minute, "it is decided again", "web", func(st status.Policy) error {
			if !st.Last.Time.After(before.Add(time.Second)) {
				return errors.New("no decision yet")
			}
			return nil
		})
		st := s.policy("web")
		if got, err := stabilizedAt(st); err != nil || !got.Equal(until) {
			t.Errorf("reload %d: the scale-down waits until %s, and until %s before (%v); %s", i+1, got, until, err, st.Explanation)
		}
		if got := s.metric("alertscaler_usage_query_failures_total"); got != "0" {
			t.Errorf("reload %d: %s queries failed", i+1, got)
		}
		var decisions []policy.Decision
		s.get("/api/v1/decisions?policy=web", &decisions)
		for _, d := range decisions {
			if d.Reason == policy.ReasonMissingData {
				t.Errorf("reload %d: %s", i+1, d.Explain())
			}
		}
	}
}

// stabilizedAt is until when a scale-down waits for its stabilization window.
func stabilizedAt(st status.Policy) (time.Time, error) {
	if st.Last == nil {
		return time.Time{}, errors.New("nothing is decided yet")
	}
	i := slices.IndexFunc(st.Last.Steps, func(s policy.Step) bool { return s.Reason == policy.ReasonStabilizing })
	if i < 0 || st.Last.Reason != policy.ReasonStabilizing {
		return time.Time{}, fmt.Errorf("it does not stabilize: %s", st.Explanation)
	}
	return st.Last.Steps[i].Until, nil
}
