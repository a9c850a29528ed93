package policy

import (
	"math"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
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
	// Objective is what is learnt from what was needed; the zero value asks
	// for nothing.
	Objective Objective
	// Schedules count inside their windows only.
	Schedules []Schedule
}

// Objective keeps free what it takes to reach a goal as cheaply as that can be
// had. Until enough was observed, that is a ratio of objective.ColdRatio.
type Objective struct {
	// Goal is zero where there is no objective.
	objective.Goal
	// MinRatio and MaxRatio bound what is learnt, as shares of the total
	// capacity: 0 ≤ MinRatio ≤ MaxRatio < 1. A MaxRatio of 0 is no bound.
	MinRatio, MaxRatio float64
}

// amount is what to keep free by what was learnt, within the bounds.
func (o *Objective) amount(usage float64, learnt *objective.Reading) float64 {
	free := ratioAmount(objective.ColdRatio, usage)
	if learnt != nil && finite(learnt.Free) {
		free = min(learnt.Free, math.MaxFloat64)
	}
	free = max(free, ratioAmount(o.MinRatio, usage))
	if o.MaxRatio > 0 {
		free = min(free, ratioAmount(o.MaxRatio, usage))
	}
	return free
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
	return r.Ratio == 0 && r.Threshold == 0 && r.Replicas == 0 && r.Objective.IsZero() && len(r.Schedules) == 0
}

// Scope says whose reservation an entry belongs to.
type Scope string

// The scopes.
const (
	ScopeResource Scope = "resource"
	ScopePolicy   Scope = "policy"
)

// EntryKind is how an entry says what must stay free.
type EntryKind string

// The kinds of entries.
const (
	EntryRatio     EntryKind = "ratio"
	EntryThreshold EntryKind = "threshold"
	EntryReplicas  EntryKind = "replicas"
	EntryObjective EntryKind = "objective"
	EntrySchedule  EntryKind = "schedule"
)

// Entry is one entry of a reservation and what it keeps free at one instant.
type Entry struct {
	Scope Scope     `json:"scope"`
	Kind  EntryKind `json:"kind"`
	// Setting as configured: of an objective its share of the time, below 1, or
	// its shortage price, above 1. Of a schedule, Schedule says when it counts.
	Setting  float64 `json:"setting,omitempty"`
	Schedule string  `json:"schedule,omitempty"`
	// Amount is in the resource's unit; 0 outside a schedule's window.
	Amount float64 `json:"amount"`
	// Learnt is what an objective's amount was made of; nil where nothing was
	// learnt yet.
	Learnt *objective.Reading `json:"learnt,omitempty"`
}

// Name tells the entries of one resource apart: "ratio", "policy threshold",
// "schedule 0 8 * * 1-5 for 2h in UTC".
func (e *Entry) Name() string {
	name := string(e.Kind)
	if e.Schedule != "" {
		name += " " + e.Schedule
	}
	if e.Scope == ScopePolicy {
		return "policy " + name
	}
	return name
}

// Entries are r's entries without amounts, for those who must know them before
// anything was decided.
func (r *Reservation) Entries(scope Scope) []Entry {
	return r.appendEntries(nil, scope, &Usage{}, time.Time{})
}

// appendEntries adds an entry for everything that is set.
func (r *Reservation) appendEntries(to []Entry, scope Scope, u *Usage, now time.Time) []Entry {
	usage, capacity := u.Value, u.CapacityPerReplica
	if r.Ratio > 0 {
		to = append(to, Entry{Scope: scope, Kind: EntryRatio, Setting: min(r.Ratio, math.MaxFloat64), Amount: ratioAmount(r.Ratio, usage)})
	}
	if r.Threshold > 0 {
		to = append(to, Entry{Scope: scope, Kind: EntryThreshold, Setting: min(r.Threshold, math.MaxFloat64), Amount: thresholdAmount(r.Threshold)})
	}
	if r.Replicas > 0 {
		to = append(to, Entry{Scope: scope, Kind: EntryReplicas, Setting: float64(r.Replicas), Amount: replicasAmount(r.Replicas, capacity)})
	}
	if !r.Objective.IsZero() {
		to = append(to, Entry{Scope: scope, Kind: EntryObjective, Setting: max(r.Objective.Share, r.Objective.ShortagePrice), Amount: r.Objective.amount(usage, u.Learnt), Learnt: u.Learnt})
	}
	for i := range r.Schedules {
		s := &r.Schedules[i]
		to = append(to, Entry{Scope: scope, Kind: EntrySchedule, Schedule: s.Window.String(), Amount: s.amount(usage, capacity, now)})
	}
	return to
}

// entries is how many entries all of the policy's resources have together.
func (p *Policy) entries() int {
	n := len(p.Resources) * p.Reservation.entries()
	for i := range p.Resources {
		n += p.Resources[i].Reservation.entries()
	}
	return n
}

func (r *Reservation) entries() int {
	n := len(r.Schedules)
	for _, set := range [...]bool{r.Ratio > 0, r.Threshold > 0, r.Replicas > 0, !r.Objective.IsZero()} {
		if set {
			n++
		}
	}
	return n
}

// Amount is what must stay free, P = max_i p_i: U·ρ/(1−ρ) for a ratio, so that
// the share ρ of the total stays free, θ for a threshold, m·C for replicas, and
// whatever a schedule says inside its window. It is in the unit of usage and
// capacity, finite and never negative. What is learnt for an objective is not
// in it: that belongs to the usage that was observed.
func (r Reservation) Amount(usage, capacity float64, now time.Time) float64 {
	amount := max(ratioAmount(r.Ratio, usage), thresholdAmount(r.Threshold), replicasAmount(r.Replicas, capacity))
	for i := range r.Schedules {
		amount = max(amount, r.Schedules[i].amount(usage, capacity, now))
	}
	return amount
}

func (s *Schedule) amount(usage, capacity float64, now time.Time) float64 {
	if !s.Window.Contains(now) {
		return 0
	}
	return max(ratioAmount(s.Ratio, usage), thresholdAmount(s.Threshold), replicasAmount(s.Replicas, capacity))
}

func ratioAmount(ratio, usage float64) float64 {
	if !(ratio > 0 && ratio < 1) {
		return 0
	}
	return min(usage*ratio/(1-ratio), math.MaxFloat64)
}

func thresholdAmount(threshold float64) float64 {
	if !(threshold > 0) {
		return 0
	}
	return min(threshold, math.MaxFloat64)
}

func replicasAmount(n int, capacity float64) float64 {
	if n <= 0 {
		return 0
	}
	return min(float64(n)*capacity, math.MaxFloat64)
}

// largest is P = max_i p_i.
func largest(entries []Entry) float64 {
	amount := 0.0
	for i := range entries {
		amount = max(amount, entries[i].Amount)
	}
	return amount
}
