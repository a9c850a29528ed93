package policy

import (
	"time"
)

// Reservation is what must stay free. Each entry gives an amount in the
// resource's unit, and the largest wins. The zero value reserves nothing.
type Reservation struct {
	// Ratio is the share of the total capacity that stays free, 0 ≤ Ratio < 1.
	Ratio float64
	// Threshold is an absolute amount that stays free, in the resource's unit.
	Threshold float64
	// Replicas is how many whole replicas stay free, at least 0.
	Replicas int
	// Schedules count inside their windows only.
	Schedules []Schedule
}

// Schedule is a reservation that holds at certain times.
type Schedule struct {
	// Window says when; it is never nil.
	Window Window
	// Ratio, Threshold and Replicas as in Reservation.
	Ratio     float64
	Threshold float64
	Replicas  int
}

// Window is a recurring span of time. It is a function of the time it is
// given, safe for concurrent use, and cheap: it is asked in every decision.
type Window interface {
	// Contains reports whether t lies within the window.
	Contains(t time.Time) bool
	// String is the window as its operator wrote it.
	String() string
}

// IsZero reports whether nothing is reserved at any time.
func (r Reservation) IsZero() bool {
	return r.Ratio == 0 && r.Threshold == 0 && r.Replicas == 0 && len(r.Schedules) == 0
}
