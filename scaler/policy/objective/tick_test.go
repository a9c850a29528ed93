package objective_test

import (
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
)

// TestTickIn: what a learner wrote says how far apart its samples were, and what
// none wrote says nothing.
func TestTickIn(t *testing.T) {
	for interval, want := range map[time.Duration]time.Duration{
		time.Second: 15 * time.Second, 15 * time.Second: 15 * time.Second, time.Minute: time.Minute,
	} {
		l := objective.New(objective.Goal{Share: 0.99}, interval)
		state, err := l.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := objective.TickIn(state); !ok || got != want || l.Tick() != want || objective.TickOf(interval) != want {
			t.Errorf("with an interval of %s: %s in the state (%t), %s of the learner, %s foretold, want %s", interval, got, ok, l.Tick(), objective.TickOf(interval), want)
		}
		other := append([]byte{state[0] + 1}, state[1:]...)
		for name, no := range map[string][]byte{"another version": other, "a part": state[:20], "nothing": nil} {
			if got, ok := objective.TickIn(no); ok {
				t.Errorf("%s has a tick of %s", name, got)
			}
		}
	}
}
