package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// pools is a platform of many counts, which tells when it is asked to scale.
type pools struct {
	mu        sync.Mutex // guards what follows
	requested map[string]int

	asked chan string
}

func (p *pools) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		p.asked <- r.URL.Path
		var body struct {
			Desired int `json:"desired"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		p.requested[r.URL.Path] = body.Desired
		p.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		return
	}
	p.mu.Lock()
	n := max(1, p.requested[r.URL.Path])
	p.mu.Unlock()
	fmt.Fprintf(w, `{"requested": %d, "ready": %d}`, n, n)
}

// poolConfig has a policy, that acts on alerts alone, for each of n pools.
func poolConfig(url string, n int) string {
	var c strings.Builder
	c.WriteString("policies:\n")
	for i := range n {
		fmt.Fprintf(&c, "- { name: pool-%d, min: 1, max: 10, targets: [ { name: t, http: { url: '%s/pool-%d' } } ] }\n", i, url, i)
	}
	return c.String()
}

// BenchmarkAlertToCall is the way from Alertmanager's POST to the platform's
// call through the real program: the alert is on disk before it is
// acknowledged, and the decision before the platform is asked. Each alert is of
// another policy, one after the other. Beside it stands what one sync of a page
// takes on the same disk at the same time.
func BenchmarkAlertToCall(b *testing.B) {
	const policies = 200
	platform := &pools{requested: make(map[string]int), asked: make(chan string, policies)}
	srv := httptest.NewServer(platform)
	defer srv.Close()
	for b.Loop() {
		s := startServer(b, poolConfig(srv.URL, policies))
		disk, err := os.Create(filepath.Join(s.dir, "data", "sync"))
		if err != nil {
			b.Fatal(err)
		}
		var calls, answers, syncs []time.Duration
		commits, took := s.value(b, "alertscaler_ledger_commit_duration_seconds_count"), s.value(b, "alertscaler_ledger_commit_duration_seconds_sum")
		for i := range policies {
			start := time.Now()
			if _, err := disk.WriteAt(make([]byte, 4096), 0); err != nil {
				b.Fatal(err)
			}
			if err := disk.Sync(); err != nil {
				b.Fatal(err)
			}
			syncs = append(syncs, time.Since(start))

			body := fmt.Sprintf(`{"version":"4","groupKey":"g%d","status":"firing","receiver":"scaler","alerts":[{"status":"firing","labels":{"alertname":"ScaleUp","scale":"up","scale_target":"pool-%d"},"startsAt":%q,"endsAt":"0001-01-01T00:00:00Z","fingerprint":"%016x"}]}`,
				i, i, time.Now().UTC().Format(time.RFC3339Nano), i+1)
			answered := make(chan error, 1)
			start = time.Now()
			go func() {
				resp, err := http.Post(s.url+"/webhook", "application/json", bytes.NewReader([]byte(body)))
				if err == nil {
					resp.Body.Close()
					answers = append(answers, time.Since(start))
				}
				answered <- err
			}()
			if path := <-platform.asked; path != fmt.Sprintf("/pool-%d", i) {
				b.Fatalf("%s was scaled, want pool-%d", path, i)
			}
			calls = append(calls, time.Since(start))
			if err := <-answered; err != nil {
				b.Fatal(err)
			}
		}
		commits, took = s.value(b, "alertscaler_ledger_commit_duration_seconds_count")-commits, s.value(b, "alertscaler_ledger_commit_duration_seconds_sum")-took
		disk.Close()
		s.Stop(b)
		clear(platform.requested)

		b.ReportMetric(0, "ns/op")
		b.ReportMetric(millis(calls, 0.5), "p50-ms")
		b.ReportMetric(millis(calls, 0.99), "p99-ms")
		b.ReportMetric(millis(answers, 0.5), "answer-p50-ms")
		b.ReportMetric(millis(syncs, 0.5), "sync-p50-ms")
		b.ReportMetric(millis(syncs, 0.99), "sync-p99-ms")
		b.ReportMetric(took/commits*1e3, "commit-ms")
		b.ReportMetric(commits/policies, "commits/alert")
		b.ReportMetric(millis(calls, 0.5)/millis(syncs, 0.5), "x-sync")
	}
}

// millis is a quantile in milliseconds.
func millis(all []time.Duration, q float64) float64 {
	slices.Sort(all)
	return all[min(int(q*float64(len(all))), len(all)-1)].Seconds() * 1e3
}

func (s *server) value(b *testing.B, series string) float64 {
	b.Helper()
	v, err := strconv.ParseFloat(s.metric(series), 64)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// BenchmarkProgram is the size of the linked program, stripped as releases are,
// and what it takes of memory while it has one policy and nothing to do.
func BenchmarkProgram(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("memory is read from /proc")
	}
	srv := httptest.NewServer(&pools{asked: make(chan string, 1)})
	defer srv.Close()
	for b.Loop() {
		program := released(b)
		info, err := os.Stat(program)
		if err != nil {
			b.Fatal(err)
		}
		s := startProgram(b, []string{program}, realtest.FreePort(b), poolConfig(srv.URL, 1))
		time.Sleep(5 * time.Second) // what the start needed is given back
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(info.Size()), "binary-B")
		b.ReportMetric(s.status(b, "RssAnon")+s.status(b, "VmSwap"), "idle-anonymous-B")
		b.ReportMetric(s.status(b, "VmRSS"), "idle-resident-B")
		s.Stop(b)
	}
}

// status is a line of the process's /proc status, in bytes.
func (s *server) status(b *testing.B, name string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		b.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if f := strings.Fields(l); len(f) == 3 && f[0] == name+":" && f[2] == "kB" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) * 1024
		}
	}
	b.Fatalf("no %s", name)
	return 0
}
