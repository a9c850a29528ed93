package main

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
	"github.com/alertscaler/alertscaler/webhook"
)

var now = time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)

// world is what the server's real handler shows in these tests.
type world struct {
	statuses []status.Policy
	err      error // of Pause and Resume
	retried  bool
}

func (w *world) Statuses() []status.Policy { return w.statuses }

func (w *world) Status(name string) (status.Policy, bool) {
	for _, s := range w.statuses {
		if s.Name == name {
			return s, true
		}
	}
	return status.Policy{}, false
}

func (w *world) set(name string, p *policy.Pause) (found, was bool, err error) {
	if w.err != nil {
		return false, false, w.err
	}
	for i := range w.statuses {
		if s := &w.statuses[i]; s.Name == name {
			was = s.Pause != nil
			s.Pause = p
			return true, was, nil
		}
	}
	return false, false, nil
}

func (w *world) Pause(name string, p policy.Pause) (bool, error) {
	found, _, err := w.set(name, &p)
	return found, err
}

func (w *world) Resume(name string) (found, resumed bool, err error) { return w.set(name, nil) }

func (w *world) Retry(name string) (found, held bool) {
	_, found = w.Status(name)
	held, w.retried = found && !w.retried, found
	return found, held
}

func (w *world) Receive(context.Context, alerts.Notification) error { return nil }

func (w *world) Decisions(webhook.Query) ([]policy.Decision, error) { return nil, nil }

func (w *world) Page(string, int, int) ([]alerts.Alert, string) { return nil, "" }

func (w *world) Len() int { return 0 }

func (w *world) YAML() string { return "" }

func (w *world) LastReload() (time.Time, error) { return now, nil }

// serve runs the real handler on w and returns the flag that leads there.
func serve(t *testing.T, w *world, change func(*webhook.Options)) string {
	t.Helper()
	o := webhook.Options{
		Receiver: w, Policies: w, Decisions: w, Alerts: w, Config: w, Pauses: w, Retries: w,
		Now: func() time.Time { return now },
	}
	if change != nil {
		change(&o)
	}
	h, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return "--alertscaler.url=" + server.URL
}
