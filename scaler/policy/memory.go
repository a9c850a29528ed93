package policy

import "time"

// TargetMemory is what was learnt of one target.
type TargetMemory struct {
	// Requested is the count that was last seen or asked for, so that a
	// change by someone else is noticed; nil: none yet.
	Requested *int `json:"requested,omitempty"`
	// Ready is how many replicas served when they were last counted.
	Ready int `json:"ready,omitempty"`
	// Provisioning is the moving estimate of how long a replica takes to
	// become ready; 0: not measured.
	Provisioning time.Duration `json:"provisioning,omitempty"`
	// Losses by hour, of the last day, oldest first.
	Losses []LossHour `json:"losses,omitempty"`
}

// LossHour counts what became of the replicas that were asked for within one
// hour.
type LossHour struct {
	// Hour is the number of the hour since the epoch.
	Hour      int64 `json:"hour"`
	Requested int   `json:"requested,omitempty"`
	// Lost never became ready, were refused, or disappeared unasked.
	Lost int `json:"lost,omitempty"`
}
