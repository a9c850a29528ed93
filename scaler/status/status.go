package status

import (
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// Policy is one policy as its operator wants to see it now.
type Policy struct {
	Name string `json:"name"`
	// Discovery is the name of the one that the policy comes from; empty where
	// it is configured.
	Discovery string      `json:"discovery,omitempty"`
	Mode      policy.Mode `json:"mode"`
	Min       int         `json:"min"`
	Max       int         `json:"max"`
	// Targets as last read; Error says why one could not be.
	Targets []Target `json:"targets"`
	// AlertsUp and AlertsDown count the active alerts of each direction.
	AlertsUp   int `json:"alerts_up"`
	AlertsDown int `json:"alerts_down"`
	// CooldownUntil is when each direction may move again; zero: now.
	CooldownUpUntil   time.Time `json:"cooldown_up_until"`
	CooldownDownUntil time.Time `json:"cooldown_down_until"`
	// Pause is set while an operator has paused the policy; Silences cover
	// alerts that would speak for it.
	Pause    *policy.Pause  `json:"pause,omitempty"`
	Silences []policy.Pause `json:"silences,omitempty"`
	// Contest is set while the policy is held because someone else keeps
	// undoing what it asks for.
	Contest *policy.Contest `json:"contest,omitempty"`
	// Blocking names the alerts that forbid a direction now.
	BlockUp   []string `json:"block_up,omitempty"`
	BlockDown []string `json:"block_down,omitempty"`
	// Budgets are what the policy shares with others.
	Budgets []Budget `json:"budgets,omitempty"`
	// Last is the newest decision; nil before the first evaluation. Its
	// Explanation is in words.
	Last        *policy.Decision `json:"last_decision,omitempty"`
	Explanation string           `json:"explanation,omitempty"`
}

// Target is one target of a policy as last read.
type Target struct {
	Name      string `json:"name"`
	Platform  string `json:"platform"`
	Requested int    `json:"requested"`
	Ready     int    `json:"ready"`
	// ReadAt is when the counts were read; zero: never.
	ReadAt time.Time `json:"read_at"`
	Error  string    `json:"error,omitempty"`
	// Draining names the replicas that are to go and take no more work. They
	// do not count as ready.
	Draining []string `json:"draining,omitempty"`
	// BackoffUpUntil and BackoffDownUntil are until when the target is not asked
	// for more, and for fewer, and BackoffUntil is the later; zero: it may be.
	BackoffUpUntil   time.Time `json:"backoff_up_until,omitzero"`
	BackoffDownUntil time.Time `json:"backoff_down_until,omitzero"`
	BackoffUntil     time.Time `json:"backoff_until,omitzero"`
	// ProvisioningSeconds and LossRatio are measured, or as configured until
	// they are; CostPerHour is as configured.
	ProvisioningSeconds float64  `json:"provisioning_seconds,omitempty"`
	LossRatio           float64  `json:"loss_ratio,omitempty"`
	CostPerHour         *float64 `json:"cost_per_hour,omitempty"`
}

// Budget is one policy's part in a budget.
type Budget struct {
	Name string `json:"name"`
	// MaxReplicas and MaxCostPerHour are the limits, 0 for none; Held is what
	// all its policies have together, and Replicas and CostPerHour this one's
	// part.
	MaxReplicas     int     `json:"max_replicas,omitempty"`
	MaxCostPerHour  float64 `json:"max_cost_per_hour,omitempty"`
	HeldReplicas    int     `json:"held_replicas"`
	HeldCostPerHour float64 `json:"held_cost_per_hour,omitempty"`
	Replicas        int     `json:"replicas"`
	CostPerHour     float64 `json:"cost_per_hour,omitempty"`
	// Lacks is what this policy wanted and was not given: the Rivals have
	// claimed it or hold it. The Victims lack something in its favour.
	Lacks            int      `json:"lacks,omitempty"`
	LacksCostPerHour float64  `json:"lacks_cost_per_hour,omitempty"`
	Rivals           []string `json:"rivals,omitempty"`
	Victims          []string `json:"victims,omitempty"`
	// MoreRivals and MoreVictims are how many of these are not named.
	MoreRivals  int `json:"more_rivals,omitempty"`
	MoreVictims int `json:"more_victims,omitempty"`
}
