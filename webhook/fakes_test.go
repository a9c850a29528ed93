package webhook

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

var t0 = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// fake is everything that the handler asks the rest of the program for.
type fake struct {
	mu       sync.Mutex
	received []alerts.Notification
	receive  func(context.Context) error // nil: nil

	statuses  []status.Policy
	decisions []policy.Decision
	query     Query
	err       error // of Decisions
	firing    []alerts.Alert
	groups    []TargetGroup
	found     []DiscoveryStatus
	reloadErr error
	reloads   int
	readyErr  error

	paused   map[string]policy.Pause
	pauseErr error
	retried  bool
}

func (f *fake) Receive(ctx context.Context, n alerts.Notification) error {
	if f.receive != nil {
		if err := f.receive(ctx); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received = append(f.received, n)
	return nil
}

func (f *fake) taken() []alerts.Notification {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.received
}

func (f *fake) Statuses() []status.Policy { return f.statuses }

func (f *fake) Status(name string) (status.Policy, bool) {
	for _, s := range f.statuses {
		if s.Name == name {
			return s, true
		}
	}
	return status.Policy{}, false
}

func (f *fake) Decisions(q Query) ([]policy.Decision, error) {
	f.query = q
	return f.decisions, f.err
}

func (f *fake) Pause(name string, p policy.Pause) (bool, error) {
	if f.pauseErr != nil {
		return false, f.pauseErr
	}
	if _, ok := f.Status(name); !ok {
		return false, nil
	}
	if f.paused == nil {
		f.paused = make(map[string]policy.Pause)
	}
	f.paused[name] = p
	return true, nil
}

func (f *fake) Resume(name string) (found, resumed bool, err error) {
	if f.pauseErr != nil {
		return false, false, f.pauseErr
	}
	_, found = f.Status(name)
	_, resumed = f.paused[name]
	delete(f.paused, name)
	return found, resumed, nil
}

func (f *fake) Retry(name string) (found, held bool) {
	_, found = f.Status(name)
	held = found && !f.retried
	f.retried = f.retried || found
	return found, held
}

func (f *fake) Page(after string, limit, _ int) (page []alerts.Alert, next string) {
	for _, a := range f.firing {
		if a.Fingerprint <= after {
			continue
		}
		if len(page) == limit {
			return page, page[limit-1].Fingerprint
		}
		page = append(page, a)
	}
	return page, ""
}

func (f *fake) Len() int { return len(f.firing) }

func (f *fake) Endpoints() []TargetGroup { return f.groups }

func (f *fake) Discoveries() []DiscoveryStatus { return f.found }

func (f *fake) YAML() string { return "policies: []\n" }

func (f *fake) LastReload() (time.Time, error) { return t0, f.reloadErr }

func (f *fake) Reload(context.Context) error {
	f.reloads++
	return f.reloadErr
}

func (f *fake) Ready() error { return f.readyErr }

// serve returns the handler around f; change may be nil.
func serve(t testing.TB, f *fake, change func(*Options)) (http.Handler, *prometheus.Registry) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	o := Options{
		Receiver: f, Policies: f, Decisions: f, Alerts: f, Config: f,
		Discovery: f, Endpoints: f, Ready: f, Reloader: f, Pauses: f, Retries: f,
		Gatherer: reg, Registerer: reg,
		Now: func() time.Time { return t0 },
	}
	if change != nil {
		change(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h, reg
}

// discard is a Receiver that keeps nothing.
type discard struct{}

func (discard) Receive(context.Context, alerts.Notification) error { return nil }
