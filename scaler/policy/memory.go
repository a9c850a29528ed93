package policy

import (
	"slices"
	"time"
)

// TargetMemory is what was learnt of one target.
type TargetMemory struct {
	Name string `json:"name"`
	// Requested is the count that was last seen or asked for, so that a
	// change by someone else is noticed; nil: none yet.
	Requested *int `json:"requested,omitempty"`
	// Ready is how many replicas served when they were last counted.
	Ready int `json:"ready,omitempty"`
	// Stands is set while the target is left alone after a failure, and its
	// last reading is used for several evaluations; zero: it is read at each.
	Stands Standing `json:"stands,omitzero"`
	// Provisioning is the moving estimate of how long a replica takes to
	// become ready; 0: not measured.
	Provisioning time.Duration `json:"provisioning,omitempty"`
	// Asked is the last change that it accepted, while nobody else has changed
	// it since; nil: none.
	Asked *Asked `json:"asked,omitempty"`
	// Losses by hour, of the last day, oldest first.
	Losses []LossHour `json:"losses,omitempty"`
}

// Standing is what of a target's last reading is not in Requested and Ready:
// when it was made, and the platform's own bounds; Max 0 means it has none.
type Standing struct {
	At  time.Time `json:"at"`
	Min int       `json:"min,omitempty"`
	Max int       `json:"max,omitempty"`
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

const (
	// provisioningWeight is what the newest measurement counts in the moving
	// estimate.
	provisioningWeight = 0.3
	// lossHours is how far back losses are looked at.
	lossHours = 24
	// lossPrior is how many replicas the configured share of losses counts
	// as much as.
	lossPrior = 10
)

// target is what is known of one target, to be changed. It holds until another
// becomes known.
func (h *History) target(name string) *TargetMemory {
	i := slices.IndexFunc(h.Targets, func(m TargetMemory) bool { return m.Name == name })
	if i < 0 {
		i = len(h.Targets)
		h.Targets = append(h.Targets, TargetMemory{Name: name})
	}
	return &h.Targets[i]
}

// Found remembers what a target is known to have.
func (h *History) Found(target string, requested, ready int) {
	if m := h.Of(target); m.Requested != nil && *m.Requested == requested && m.Ready == ready {
		return
	}
	m := h.target(target)
	m.Requested, m.Ready = &requested, ready
}

// Stands remembers the last reading of a target while it is not repeated; the
// zero one ends that.
func (h *History) Stands(target string, s Standing) {
	if h.Of(target).Stands != s {
		h.target(target).Stands = s
	}
}

// Forget drops what was read of a target and asked of it: another one may come
// by its name. What was learnt of it stays.
func (h *History) Forget(target string) {
	m := h.target(target)
	m.Requested, m.Ready, m.Asked, m.Stands = nil, 0, nil, Standing{}
}

// Accepted remembers the change that a target took.
func (h *History) Accepted(target string, from, to int) {
	h.target(target).Asked = &Asked{From: from, To: to}
}

// CameToNothing forgets what was asked of a target, where that was this number:
// whoever finds another has not changed it.
func (h *History) CameToNothing(target string, to int) {
	if a := h.Of(target).Asked; a != nil && a.To == to {
		h.target(target).Asked = nil
	}
}

// Of is what is known of one target; nothing but its name where it is new.
func (h *History) Of(target string) TargetMemory {
	for i := range h.Targets {
		if h.Targets[i].Name == target {
			return h.Targets[i]
		}
	}
	return TargetMemory{Name: target}
}

// Provisioned takes in how long a target's scale-up took to become ready. The
// estimate begins with the seed, where there is one.
func (h *History) Provisioned(target string, took, seed time.Duration) {
	m := h.target(target)
	was := m.Provisioning
	if was == 0 {
		was = seed
	}
	if was == 0 {
		m.Provisioning = max(took, 1)
		return
	}
	m.Provisioning = max(was+time.Duration(provisioningWeight*float64(took-was)), 1)
}

// Counted adds replicas that were asked of a target, and replicas that it lost.
func (h *History) Counted(target string, requested, lost int, now time.Time) {
	m := h.target(target)
	hour := now.Unix() / 3600
	m.Losses = slices.DeleteFunc(m.Losses, func(l LossHour) bool { return l.Hour <= hour-lossHours || l.Hour > hour })
	if n := len(m.Losses); n == 0 || m.Losses[n-1].Hour != hour {
		m.Losses = append(m.Losses, LossHour{Hour: hour})
	}
	last := &m.Losses[len(m.Losses)-1]
	last.Requested += requested
	last.Lost += lost
}

// ProvisioningOf is how long a replica of the i-th target takes to become
// ready: measured or, until then, as configured; 0 where neither is known.
func (h *History) ProvisioningOf(t *Target) time.Duration {
	if m := h.Of(t.Name).Provisioning; m > 0 {
		return m
	}
	return t.Provisioning
}

// LossOf is the share of the target's replicas that failed or were lost within
// the last day. The configured share counts as much as ten replicas, so that
// one unlucky start does not condemn a target.
func (h *History) LossOf(t *Target, now time.Time) float64 {
	hour := now.Unix() / 3600
	requested, lost := float64(lossPrior), lossPrior*t.Loss
	for _, l := range h.Of(t.Name).Losses {
		if l.Hour > hour-lossHours {
			requested += float64(l.Requested)
			lost += float64(l.Lost)
		}
	}
	return min(1, lost/max(requested, lost))
}

// ForeignChanged remembers that someone else changed a target's count: what
// was recommended before was for another count, so the windows start anew.
func (h *History) ForeignChanged(p Policy, c ForeignChange, now time.Time) {
	h.Since, h.Samples = time.Time{}, nil
	h.DownSince, h.FleetHold = time.Time{}, nil
	if c.To < c.From && p.learns() {
		h.TakenAway = now
	}
	h.contest(c, now)
	h.Moved(p, Move{At: now, Converged: now, Foreign: true, From: c.From, To: c.To})
}

// Distrust makes the policy careful about scaling down, after something was lost
// that it or others remembered: its stabilization window begins anew, and so
// does its cooldown, as if someone else had just taken a replica away. Scaling
// up it leaves as it was.
func (h *History) Distrust(now time.Time) {
	h.Since = time.Time{}
	h.DownSince, h.FleetHold = time.Time{}, nil
	taken := Move{At: now, Converged: now, Foreign: true, From: 1, To: 0}
	h.Moves = slices.DeleteFunc(h.Moves, func(m Move) bool { // the one of another loss
		m.At, m.Converged = taken.At, taken.Converged
		return m == taken
	})
	h.Moves = append(h.Moves, taken)
}
