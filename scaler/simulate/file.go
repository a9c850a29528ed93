package simulate

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// File is a file of policy tests, valid as loaded.
type File struct {
	// ConfigFile is the server's configuration, relative to the file.
	ConfigFile string  `yaml:"config_file"`
	Tests      []*Test `yaml:"tests"`
}

// Test is one story: a world at the start, what happens to it, and what the
// policy is expected to decide.
type Test struct {
	Name string `yaml:"name"`
	// Policy is the one the story is about.
	Policy string  `yaml:"policy"`
	Start  Instant `yaml:"start"`
	// Interval between two evaluations, and between two values of a series;
	// that of the tested policy where it is not written. All policies are
	// evaluated at it.
	Interval config.Duration `yaml:"interval"`
	// Setup of Policy, and of Others by policy.
	Setup  `yaml:",inline"`
	Others map[string]*Setup `yaml:"others"`
	Alerts []*Alert          `yaml:"alerts"`
	Events []*Event          `yaml:"events"`
	Expect []*Expectation    `yaml:"expect"`

	// Config is the loaded configuration; it is never changed.
	Config *config.Config `yaml:"-"`
	// Line of the file.
	Line int `yaml:"-"`
}

// Setup is one policy's world.
type Setup struct {
	// Replicas by target are requested and ready at the start. A target that
	// is not named has none; where none is named, the policy has its min.
	Replicas map[string]int `yaml:"replicas"`
	// Provisioning by target is the time from requested to ready; none where
	// it is not written.
	Provisioning map[string]config.Duration `yaml:"provisioning"`
	// Usage by resource: one series or, for an ambiguous answer, several.
	Usage map[string]Notations `yaml:"usage"`
	// Capacity of one replica by resource, where the configuration has no
	// number.
	Capacity map[string]Notations `yaml:"capacity"`
	// Predicted usage by resource, where the configuration asks for it.
	Predicted map[string]Notations `yaml:"predicted"`
	// Reporting is how many replicas report; all that are ready where it is
	// not written.
	Reporting Notations `yaml:"reporting"`
	// Busy by target, where the configuration asks for the load of each
	// replica, is how many of them carry any, and more than is protected; none
	// do where it is not written. A value that is missing is an answer that is.
	Busy map[string]Notation `yaml:"busy"`
}

// Alert fires from From to To, the end of the test where To is not written.
type Alert struct {
	Labels map[string]string `yaml:"labels"`
	From   config.Duration   `yaml:"from"`
	To     *config.Duration  `yaml:"to"`
	// Silence covers the alert from its start.
	Silence *Silence `yaml:"silence"`
}

// Silence is one set in Alertmanager.
type Silence struct {
	By      string `yaml:"by"`
	Comment string `yaml:"comment"`
	// Until is when it ends; not before the alert where it is not written.
	Until *config.Duration `yaml:"until"`
}

// Event is one thing that happens at a time, before the evaluation then.
// Exactly one of what follows Policy is set.
type Event struct {
	At config.Duration `yaml:"at"`
	// Until ends what lasts: Refuse, Unreadable and NeverReady; the end of the
	// test where it is not written.
	Until *config.Duration `yaml:"until"`
	// Policy it happens to; the test's where it is not written.
	Policy string `yaml:"policy"`

	Pause  *Pause `yaml:"pause"`
	Resume bool   `yaml:"resume"`
	// Retry is an operator who has targets asked again.
	Retry bool `yaml:"retry"`
	// Restart ends the server, and starts it again on what its ledger kept.
	Restart bool `yaml:"restart"`
	// Set is another number of replicas, asked for by someone else.
	Set map[string]int `yaml:"set"`
	// Refuse makes the platform refuse every number with an error of a kind.
	Refuse map[string]target.Kind `yaml:"refuse"`
	// Unreadable targets do not say what they have.
	Unreadable []string `yaml:"unreadable"`
	// Lose takes replicas that are ready; the platform replaces them.
	Lose map[string]int `yaml:"lose"`
	// NeverReady is how many of the replicas that start from now on never
	// become ready; true: all of them.
	NeverReady map[string]CountOrAll `yaml:"never_ready"`
	// ShowsAfter is how long an accepted number takes to show.
	ShowsAfter map[string]config.Duration `yaml:"shows_after"`
	// Limit is the platform's own maximum; 0: none any more.
	Limit map[string]int `yaml:"limit"`
}

// Pause is an operator's.
type Pause struct {
	// For or Until say how long; neither: until somebody resumes.
	For     *config.Duration `yaml:"for"`
	Until   *config.Duration `yaml:"until"`
	By      string           `yaml:"by"`
	Comment string           `yaml:"comment"`
}

// Expectation is what the decision at a time must say. Only what is written is
// looked at.
type Expectation struct {
	At *config.Duration `yaml:"at"`
	// Policy whose decision is meant; the test's where it is not written.
	Policy         string        `yaml:"policy"`
	Desired        *int          `yaml:"desired"`
	Reason         policy.Reason `yaml:"reason"`
	Current        *int          `yaml:"current"`
	Ready          *int          `yaml:"ready"`
	Act            *bool         `yaml:"act"`
	Recommendation *int          `yaml:"recommendation"`
	// Placements is the number the decision gives each of these targets.
	Placements map[string]int `yaml:"placements"`
	// Targets is what is requested of these after the evaluation.
	Targets map[string]int `yaml:"targets"`
	// Explain is part of the decision's explanation.
	Explain string `yaml:"explain"`
	// PausedBy is who paused the policy.
	PausedBy string `yaml:"paused_by"`

	// Line of the file.
	Line int `yaml:"-"`
}

// defaultStart is a Monday.
var defaultStart = Instant(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))

// targets are the names of targets an event speaks of, with the key they are
// written under.
func (e *Event) targets() (key string, names []string) {
	for _, m := range []struct {
		key   string
		names []string
	}{
		{"set", keys(e.Set)},
		{"refuse", keys(e.Refuse)},
		{"unreadable", e.Unreadable},
		{"lose", keys(e.Lose)},
		{"never_ready", keys(e.NeverReady)},
		{"shows_after", keys(e.ShowsAfter)},
		{"limit", keys(e.Limit)},
	} {
		if len(m.names) > 0 {
			return m.key, m.names
		}
	}
	return "", nil
}

// actions counts what the event does.
func (e *Event) actions() int {
	n := 0
	for _, is := range []bool{
		e.Pause != nil, e.Resume, e.Retry, e.Restart, e.Set != nil, e.Refuse != nil, e.Unreadable != nil,
		e.Lose != nil, e.NeverReady != nil, e.ShowsAfter != nil, e.Limit != nil,
	} {
		if is {
			n++
		}
	}
	return n
}
