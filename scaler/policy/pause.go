package policy

import "time"

// Pause keeps a policy from acting: an operator's, or a silence in
// Alertmanager that covers the alerts that would speak for it.
type Pause struct {
	// Since is when it began; Until when it ends of itself, zero: not before
	// somebody resumes.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	By    string    `json:"by"`
	// Comment says why.
	Comment string `json:"comment"`
	// Silence is the ID of the silence; empty for an operator's pause.
	Silence string `json:"silence,omitempty"`
}

// Active reports whether the pause holds at now.
func (p *Pause) Active(now time.Time) bool {
	return p != nil && (p.Until.IsZero() || now.Before(p.Until))
}

// ForeignChange is a change of one target's count that someone else made.
type ForeignChange struct {
	Target string
	From   int
	To     int
}
