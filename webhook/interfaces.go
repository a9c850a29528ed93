package webhook

import (
	"context"
	"time"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// All interfaces here are called from many goroutines at once. What they
// return is only read.

// Receiver takes notifications in.
type Receiver interface {
	// Receive returns once the notification is where a restart will find it,
	// and waits for nothing else: Alertmanager waits for it. An error means
	// that it was not taken in and is worth sending again.
	Receive(ctx context.Context, n alerts.Notification) error
}

// Policies know how the policies are doing.
type Policies interface {
	// Statuses returns all policies in the order to be shown.
	Statuses() []status.Policy
	// Status returns one policy, or false where there is none of that name.
	Status(name string) (status.Policy, bool)
}

// SomePolicies are Policies that need not look at all to show some.
type SomePolicies interface {
	// FirstStatuses returns the first n policies in the order to be shown, and
	// how many there are.
	FirstStatuses(n int) (shown []status.Policy, total int)
}

// Pauses keep policies from acting. What is paused stays so after a restart.
type Pauses interface {
	// Pause returns once the pause is where a restart will find it; one that
	// is there already is replaced. found is false where there is no policy
	// of that name.
	Pause(name string, p policy.Pause) (found bool, err error)
	// Resume ends an operator's pause; resumed is false where there was none.
	Resume(name string) (found, resumed bool, err error)
}

// Query selects decisions.
type Query struct {
	// Policy selects one policy; empty selects all.
	Policy string
	// Since excludes everything older; zero excludes nothing.
	Since time.Time
	// Limit is the most to return; it is always positive.
	Limit int
}

// Decisions remember what was decided.
type Decisions interface {
	// Decisions returns what the query selects, newest first.
	Decisions(q Query) ([]policy.Decision, error)
}

// Alerts know what is firing.
type Alerts interface {
	// Page returns the alerts known to fire that follow the fingerprint, in
	// order: limit at most and of some maxBytes together. next is what the next
	// page follows; "" where there is none.
	Page(after string, limit, maxBytes int) (page []alerts.Alert, next string)
	// Len is how many there are.
	Len() int
}

// Config is the configuration in force.
type Config interface {
	// YAML returns it with its defaults, and with <secret> for secrets.
	YAML() string
	// LastReload returns when it was loaded, and why the last attempt to
	// replace it failed; nil where it did not.
	LastReload() (loaded time.Time, err error)
}

// DiscoveryStatus is what one discovery has found.
type DiscoveryStatus struct {
	Name     string `json:"name"`
	Platform string `json:"platform"`
	// Things are all that ask to be scaled, or not to be; never nil.
	Things []Discovered `json:"things"`
	// LastSuccess is when they were last listed; zero: never.
	LastSuccess time.Time `json:"last_success"`
	// LastError is why the last list failed; empty where it did not.
	LastError string `json:"last_error,omitempty"`
}

// Discovered is one thing and what became of it.
type Discovered struct {
	What string `json:"what"`
	// Policy that was made of it; empty: none was.
	Policy string `json:"policy,omitempty"`
	// Disabled: it asks not to be scaled.
	Disabled bool               `json:"disabled,omitempty"`
	Problems []DiscoveryProblem `json:"problems,omitempty"`
}

// DiscoveryProblem is why there is no policy, or still that of earlier labels.
type DiscoveryProblem struct {
	// Label to blame and its value; empty where none is.
	Label string `json:"label,omitempty"`
	Value string `json:"value,omitempty"`
	// Msg says what would be right.
	Msg string `json:"problem"`
}

// Discovery knows what was discovered.
type Discovery interface {
	// Discoveries returns all that are configured, in the order to be shown.
	Discoveries() []DiscoveryStatus
}

// Reloader reads the configuration again.
type Reloader interface {
	// Reload returns nil once the new configuration is in force, or says why
	// the old one still is.
	Reload(ctx context.Context) error
}

// Ready knows whether the server can do its work.
type Ready interface {
	// Ready returns nil, or one line on what is missing.
	Ready() error
}

// Evaluated is a Ready that may be not ready for other reasons than that it has
// looked at nothing yet. Addresses of replicas are known all the same.
type Evaluated interface {
	Evaluated() error
}

// TargetGroup is where the replicas of one target are.
type TargetGroup struct {
	Policy, Target string
	// ScaleTarget is the label by which the replicas' series are summed.
	ScaleTarget string
	// Addresses are host:port.
	Addresses []string
}

// Endpoints know where replicas are that Prometheus finds nowhere else.
type Endpoints interface {
	// Endpoints returns the groups in a stable order.
	Endpoints() []TargetGroup
}
