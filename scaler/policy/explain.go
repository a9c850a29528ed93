package policy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Explain says in one line what was decided and why, as an operator would
// want to read it:
//
//	web 6 → 9 (scaled_up): cpu needs 8.4 replicas; capped by nothing
func (d *Decision) Explain() string {
	var b strings.Builder
	if d.Desired == d.Current {
		fmt.Fprintf(&b, "%s stays at %d (%s)", d.Policy, d.Current, d.Reason)
	} else {
		fmt.Fprintf(&b, "%s %d → %d (%s)", d.Policy, d.Current, d.Desired, d.Reason)
	}
	sep := ": "
	for i := range d.Requirements {
		b.WriteString(sep)
		b.WriteString(d.Requirements[i].String())
		sep = ", "
	}
	for i := range d.Steps {
		s := &d.Steps[i]
		if s.Reason == "" || s.Name == StepQuality && s.Detail != "" {
			continue
		}
		b.WriteString("; ")
		b.WriteString(s.String())
	}
	if d.Act && (d.Reason == ReasonScaledUp || d.Reason == ReasonScaledDown) {
		b.WriteString("; capped by nothing")
	}
	return b.String()
}

// String says what the resource needs.
func (q Requirement) String() string {
	if q.Problem != "" {
		if q.Detail != "" {
			return fmt.Sprintf("%s unknown (%s: %s)", q.Resource, q.Problem, q.Detail)
		}
		return fmt.Sprintf("%s unknown (%s)", q.Resource, q.Problem)
	}
	return fmt.Sprintf("%s uses %s and keeps %s free, which is %s replicas of %s",
		q.Resource, number(q.Usage), number(q.Reserved), number((q.Usage+q.Reserved)/q.CapacityPerReplica), number(q.CapacityPerReplica))
}

// String says what the step looked at and what it left.
func (s Step) String() string {
	text := s.text()
	if !s.Until.IsZero() {
		text += " until " + s.Until.UTC().Format(time.RFC3339)
	}
	return text
}

func (s *Step) text() string {
	switch s.Name {
	case StepBounds:
		switch s.Reason {
		case ReasonBelowMin:
			return "below the minimum of " + number(s.Value)
		case ReasonAboveMax:
			return "above the maximum of " + number(s.Limit)
		}
		return "within " + number(s.Value) + ".." + number(s.Limit)
	case StepMode:
		return "mode " + s.Subject + " decides and does not act"
	case StepQuality:
		if s.Detail != "" {
			return s.Subject + " is not usable: " + s.Detail
		}
		return "unknown usage does not support scaling " + s.Subject
	case StepDirection:
		if s.Reason == ReasonNoAlert {
			return "no alert is active"
		}
		return number(s.Value) + " active alerts point " + s.Subject
	case StepRequirement:
		return s.Subject + " needs " + number(s.Value) + ", so " + number(s.Limit)
	case StepRecommendation:
		return s.recommendation()
	case StepTolerance:
		return "need is " + number(s.Value) + " of the count, tolerance " + number(s.Limit)
	case StepStabilization:
		return "stabilization window of " + seconds(s.Limit) + " leaves " + strconv.Itoa(s.Replicas)
	case StepStepLimit:
		return "step limit from " + number(s.Value) + " is " + number(s.Limit)
	case StepCooldown:
		return s.cooldownText()
	case StepMinMax:
		switch s.Reason {
		case ReasonAtMax:
			return "at the maximum of " + number(s.Limit)
		case ReasonAtMin:
			return "at the minimum of " + strconv.Itoa(s.Replicas)
		}
		return "within " + number(s.Value) + ".." + number(s.Limit)
	case StepPlacement:
		if s.Reason != "" {
			return number(s.Value) + " replicas find no target"
		}
		return "every replica has a target"
	}
	return strings.TrimSpace(s.Subject + " " + s.Detail)
}

func (s *Step) recommendation() string {
	switch s.Reason {
	case ReasonSatisfied:
		return "needs " + number(s.Limit) + ", the count suffices"
	case ReasonFallback:
		return "usage is unknown, the alert alone moves to " + strconv.Itoa(s.Replicas)
	case "":
		return "recommended are " + number(s.Limit)
	}
	return "the alert alone moves to " + strconv.Itoa(s.Replicas)
}

func (s *Step) cooldownText() string {
	switch s.Reason {
	case ReasonConverging:
		return "the last move " + s.Subject + " has not converged"
	case ReasonCoolingDown:
		return "cooldown of " + seconds(s.Limit) + " runs"
	}
	return "no cooldown runs"
}

// number prints four significant digits and never an exponent below 10¹⁵, as
// people write quantities.
func number(x float64) string {
	if x == float64(int64(x)) && x < 1e15 && x > -1e15 {
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).String()
}

// step is Step's JSON form. Message is rendered and never read back.
type step struct {
	Name     StepName   `json:"name"`
	Replicas int        `json:"replicas"`
	Reason   Reason     `json:"reason,omitempty"`
	Subject  string     `json:"subject,omitempty"`
	Value    float64    `json:"value,omitempty"`
	Limit    float64    `json:"limit,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
	Detail   string     `json:"detail,omitempty"`
	Message  string     `json:"message"`
}

// MarshalJSON renders the step with its message in words.
func (s Step) MarshalJSON() ([]byte, error) {
	v := step{
		Name: s.Name, Replicas: s.Replicas, Reason: s.Reason, Subject: s.Subject,
		Value: s.Value, Limit: s.Limit, Detail: s.Detail, Message: s.String(),
	}
	if !s.Until.IsZero() {
		v.Until = &s.Until
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Step) UnmarshalJSON(b []byte) error {
	var v step
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*s = Step{
		Name: v.Name, Replicas: v.Replicas, Reason: v.Reason, Subject: v.Subject,
		Value: v.Value, Limit: v.Limit, Detail: v.Detail,
	}
	if v.Until != nil {
		s.Until = *v.Until
	}
	return nil
}
