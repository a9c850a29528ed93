package policy

import "time"

// Status is one policy as its operator wants to see it now.
type Status struct {
	Name string `json:"name"`
	Mode Mode   `json:"mode"`
	Min  int    `json:"min"`
	Max  int    `json:"max"`
	// Targets as last read; Error says why one could not be.
	Targets []TargetStatus `json:"targets"`
	// AlertsUp and AlertsDown count the active alerts of each direction.
	AlertsUp   int `json:"alerts_up"`
	AlertsDown int `json:"alerts_down"`
	// CooldownUntil is when each direction may move again; zero: now.
	CooldownUpUntil   time.Time `json:"cooldown_up_until"`
	CooldownDownUntil time.Time `json:"cooldown_down_until"`
	// Last is the newest decision; nil before the first evaluation. Its
	// Explanation is in words.
	Last        *Decision `json:"last_decision,omitempty"`
	Explanation string    `json:"explanation,omitempty"`
}

// TargetStatus is one target of a policy as last read.
type TargetStatus struct {
	Name      string `json:"name"`
	Platform  string `json:"platform"`
	Requested int    `json:"requested"`
	Ready     int    `json:"ready"`
	// ReadAt is when the counts were read; zero: never.
	ReadAt time.Time `json:"read_at"`
	Error  string    `json:"error,omitempty"`
}
