package policy

import (
	"encoding/json"
	"time"
)

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
