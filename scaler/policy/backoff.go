package policy

import (
	"encoding/json"
	"time"
)

// Backoff is how long a target that failed is left alone.
type Backoff struct {
	Until time.Time `json:"until"`
	// Failures in a row that led to it.
	Failures int `json:"failures"`
	// Wanted is what the target was asked for last; nil: not known.
	Wanted *int `json:"wanted,omitempty"`
	// NotConverged is set where the target took the number and its replicas
	// were not ready in time.
	NotConverged bool `json:"not_converged,omitempty"`
	// GivenUp is the kind of error that the platform gave them up with, empty
	// where they had their time.
	GivenUp string `json:"given_up,omitempty"`
	// TakeBackAt is when it may be asked to give these replicas back, where it
	// has refused to.
	TakeBackAt time.Time `json:"take_back_at,omitzero"`
}

// Backoffs are those of one target: what it refuses one way it may take the
// other way.
type Backoffs struct {
	Up   Backoff `json:"up,omitzero"`
	Down Backoff `json:"down,omitzero"`
}

// Of is the backoff of one direction.
func (b Backoffs) Of(d Direction) Backoff {
	if d == Down {
		return b.Down
	}
	return b.Up
}

// UnmarshalJSON reads also what was written while a target had one backoff for
// both directions. Which of them it was for nobody knows, unless replicas
// never became ready.
func (b *Backoffs) UnmarshalJSON(text []byte) error {
	type plain Backoffs
	var v struct {
		plain
		Backoff
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*b = Backoffs(v.plain)
	if v.Until.IsZero() {
		return nil
	}
	b.Up = v.Backoff
	if !v.NotConverged {
		b.Down = v.Backoff
	}
	return nil
}

// SetBackoff replaces the backoff of one direction; the zero one ends it.
func (h *History) SetBackoff(target string, d Direction, b Backoff) {
	of := h.Backoffs[target]
	if d == Down {
		of.Down = b
	} else {
		of.Up = b
	}
	switch {
	case of == Backoffs{}:
		delete(h.Backoffs, target)
		return
	case h.Backoffs == nil:
		h.Backoffs = make(map[string]Backoffs)
	}
	h.Backoffs[target] = of
}

// Fulfilled reports whether a target that shows these counts has what it was
// asked for when the backoff began.
func (b *Backoff) Fulfilled(d Direction, requested, ready int) bool {
	switch {
	case b.Until.IsZero() || b.Wanted == nil:
		return false
	case d == Down:
		return requested <= *b.Wanted && ready <= *b.Wanted
	}
	return requested >= *b.Wanted && ready >= *b.Wanted
}

// Held reports whether the policy is kept from asking for something that a
// retry would let it ask for.
func (h *History) Held(now time.Time) bool {
	for _, b := range h.Backoffs {
		if b.Up.Until.After(now) || b.Down.Until.After(now) {
			return true
		}
	}
	return h.Contest.Active(now)
}

// Configured takes over the fingerprint of the policy's configuration. Where it
// was another, what that has led to ends; ended is set where that had kept the
// policy from asking for something.
func (h *History) Configured(fingerprint string, now time.Time) (ended bool) {
	if was := h.Config; was != "" && was != fingerprint {
		ended = h.Held(now)
		h.Retry()
	}
	h.Config = fingerprint
	return ended
}

// Retry ends every backoff, and forgets what others did.
func (h *History) Retry() { h.Backoffs, h.Contest = nil, nil }
