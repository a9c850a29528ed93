// Package alerts is the book of active alerts: what is firing now, as far as
// Alertmanager told us. It keeps alerts by fingerprint, takes late, repeated
// and truncated notifications in its stride, drops what nobody confirms any
// more, and, where it can ask Alertmanager itself, lets that answer win.
package alerts

import (
	"time"

	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Status is an alert's own state, never its group's.
type Status string

// The two states Alertmanager knows.
const (
	Firing   Status = "firing"
	Resolved Status = "resolved"
)

// Alert is one alert as the book keeps it. Values are never changed after
// they were handed out; copies share their maps.
type Alert struct {
	Fingerprint string            `json:"fingerprint"`
	Status      Status            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	StartsAt    time.Time         `json:"starts_at"`
	// EndsAt of a resolved alert; zero while it fires.
	EndsAt       time.Time `json:"ends_at,omitzero"`
	GeneratorURL string    `json:"generator_url,omitempty"`
	// GroupKey and Receiver of the notification that last spoke of it; empty
	// where only the reconciliation has seen it.
	GroupKey string `json:"group_key,omitempty"`
	Receiver string `json:"receiver,omitempty"`
	// ReceivedAt is when the book first took this firing in, LastSeen when it
	// was last confirmed.
	ReceivedAt time.Time `json:"received_at"`
	LastSeen   time.Time `json:"last_seen"`
	// Unconfirmed is true of an alert that a notification told of and
	// Alertmanager has not listed yet, where that is asked for; see SetConfirm.
	// It is in the book and does not count.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// SilencedBy and InhibitedBy name what suppresses it, as Alertmanager
	// says; an alert with either is in the book and does not count.
	SilencedBy  []string `json:"silenced_by,omitempty"`
	InhibitedBy []string `json:"inhibited_by,omitempty"`
	// Silences are the silences in SilencedBy, in that order: who set them,
	// until when and why. One that could not be read has its ID alone.
	Silences []policy.Pause `json:"silences,omitempty"`
	// Policies are the names of the policies it speaks for, sorted. The book
	// sets them in what it hands out; they are not stored, because the next
	// configuration may say otherwise.
	Policies []string `json:"policies,omitempty"`
}

// Active reports whether the alert speaks for scaling: it fires, nothing
// suppresses it, and Alertmanager has confirmed it where it must.
func (a Alert) Active() bool {
	return a.Status == Firing && !a.Unconfirmed && len(a.SilencedBy) == 0 && len(a.InhibitedBy) == 0
}

// Fingerprint is that of an alert with these labels, as Alertmanager computes
// and writes it. An alert with the fingerprint of another one would take its
// place, so that it is never the sender's word.
func Fingerprint(labels map[string]string) string {
	return model.Fingerprint(model.LabelsToSignature(labels)).String()
}

// Notification is what one POST of Alertmanager said, decoded.
type Notification struct {
	// Receiver and GroupKey as sent. With Truncated > 0 that many alerts of
	// the group were left out, and absence proves nothing.
	Receiver  string
	GroupKey  string
	Truncated uint64
	// Unverified says that the fingerprints are what the sender wrote. Apply
	// goes by those of the labels then, and does not compute them for alerts
	// that it knows.
	Unverified bool
	Alerts     []Alert
}
