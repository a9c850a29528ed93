package learning

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy/objective"
	"github.com/alertscaler/alertscaler/scaler/usage"
)

// pastFunc is a past by what it answers.
type pastFunc func(q usage.Query, from, to time.Time) ([]objective.Sample, error)

func (f pastFunc) Past(_ context.Context, q usage.Query, from, to time.Time, _ time.Duration) ([]objective.Sample, error) {
	return f(q, from, to)
}

// steady is a past since then in which nothing happens; it notes what it was
// asked for.
func steady(since time.Time, asked *[]time.Time) pastFunc {
	return func(q usage.Query, from, to time.Time) (out []objective.Sample, err error) {
		if q.Resource != "cpu" {
			return nil, errors.New("not of " + q.Resource)
		}
		*asked = append(*asked, from)
		for at := from.Add(interval); !at.After(to); at = at.Add(interval) {
			if !at.Before(since) {
				out = append(out, objective.Sample{At: at, Usage: 9, Capacity: 2})
			}
		}
		return out, nil
	}
}

// TestThePastIsReadOnce where it is known, and again after a time without a
// server, from where that began.
func TestThePastIsReadOnce(t *testing.T) {
	c := newCourse()
	var asked []time.Time
	c.past = steady(t0.Add(-2*time.Hour), &asked)
	c.steps(5)
	c.observed(t, "with the past", 2*60*4+5)
	if len(c.written["cpu"]) == 0 {
		t.Error("what the past has taught is not written")
	}
	seen := c.now.Add(-interval)
	c.now = c.now.Add(30 * time.Minute)
	c.restart()
	c.steps(2)
	c.observed(t, "after half an hour", 2*60*4+5+30*4+2)
	if len(asked) != 2 || !asked[0].Equal(t0.Add(-pastReach)) || !asked[1].Equal(seen) {
		t.Errorf("asked for what was since %v", asked)
	}
}

// TestAPastThatCannotBeRead is asked for again, so often and no more.
func TestAPastThatCannotBeRead(t *testing.T) {
	c := newCourse()
	asked := 0
	c.past = pastFunc(func(usage.Query, time.Time, time.Time) ([]objective.Sample, error) {
		asked++
		return nil, errors.New("no answer")
	})
	c.steps(1)
	c.steps(19)
	if asked != 1 {
		t.Errorf("asked %d times within five minutes", asked)
	}
	c.steps(20 * pastTries)
	if asked != pastTries {
		t.Errorf("asked %d times, want %d", asked, pastTries)
	}
	c.observed(t, "meanwhile", int64(20+20*pastTries))
}

// TestAPastThatKnowsLessIsNotTaken: what was seen is more.
func TestAPastThatKnowsLessIsNotTaken(t *testing.T) {
	c := newCourse()
	fails := true
	var asked []time.Time
	c.past = pastFunc(func(q usage.Query, from, to time.Time) ([]objective.Sample, error) {
		if fails {
			return nil, errors.New("no answer")
		}
		return steady(t0.Add(4*time.Minute), &asked)(q, from, to)
	})
	c.steps(19)
	fails = false
	c.steps(3)
	c.observed(t, "of its own", 22)
	if len(asked) != 1 {
		t.Errorf("asked %d times", len(asked))
	}
}

// TestTheClockIsCorrected: who waits for the past waits as long as before.
func TestTheClockIsCorrected(t *testing.T) {
	c := newCourse()
	asked := 0
	c.past = pastFunc(func(usage.Query, time.Time, time.Time) ([]objective.Sample, error) {
		asked++
		return nil, errors.New("no answer")
	})
	c.steps(1)
	c.now = c.now.Add(time.Hour)
	c.state.Shift(time.Hour, c.now)
	c.steps(18)
	if asked != 1 {
		t.Errorf("asked %d times before the five minutes were over", asked)
	}
	c.steps(2)
	if asked != 2 {
		t.Errorf("asked %d times after them", asked)
	}
}
