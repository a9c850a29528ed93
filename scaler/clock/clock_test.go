package clock_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/clock"
)

// clocks are a wall clock that can be stepped and a monotonic one that cannot.
type clocks struct {
	wall    time.Time
	elapsed time.Duration
}

func (c *clocks) pass(d time.Duration) { c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d }

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func newClock() (*clock.Clock, *clocks, *bytes.Buffer) {
	c, said := &clocks{wall: start, elapsed: 90 * time.Hour}, &bytes.Buffer{}
	return clock.New(clock.Options{
		Wall:    func() time.Time { return c.wall },
		Elapsed: func() time.Duration { return c.elapsed },
		Logger:  log.NewLogfmtLogger(said),
	}), c, said
}

func expect(t *testing.T, c *clock.Clock, want time.Time, corrected time.Duration) {
	t.Helper()
	if now, by := c.Read(); !now.Equal(want) || by != corrected {
		t.Errorf("shows %s, corrected by %s; want %s, %s", now, by, want, corrected)
	}
}

// TestAStepThatPassesMovesNothing: 40 days ahead for 70 s, or two hours back.
func TestAStepThatPassesMovesNothing(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{40 * 24 * time.Hour, 2 * time.Hour, -2 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			c, system, said := newClock()
			system.pass(time.Minute)
			expect(t, c, start.Add(time.Minute), 0)
			system.wall = system.wall.Add(step)
			for i := range 7 {
				system.pass(10 * time.Second)
				expect(t, c, start.Add(time.Minute+time.Duration(i+1)*10*time.Second), 0)
			}
			system.wall = system.wall.Add(-step)
			system.pass(time.Hour)
			expect(t, c, start.Add(time.Hour+time.Minute+70*time.Second), 0)
			if s := said.String(); strings.Count(s, "was stepped") != 1 || strings.Count(s, "is back") != 1 {
				t.Errorf("said: %s", s)
			}
		})
	}
}

// TestAStepThatLastsIsTakenOver, and Corrected says by how much.
func TestAStepThatLastsIsTakenOver(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{48 * time.Hour, -48 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			c, system, said := newClock()
			system.wall = system.wall.Add(step)
			expect(t, c, start, 0)
			system.pass(5*time.Minute - time.Second)
			expect(t, c, start.Add(5*time.Minute-time.Second), 0)
			system.pass(time.Second)
			expect(t, c, start.Add(step+5*time.Minute), step)
			system.pass(time.Hour)
			expect(t, c, start.Add(step+5*time.Minute+time.Hour), step)
			if s := said.String(); strings.Count(s, "is taken over") != 1 {
				t.Errorf("said: %s", s)
			}
		})
	}
}

// TestAStepOnAStepBeginsAnew: what does not stay is not taken over.
func TestAStepOnAStepBeginsAnew(t *testing.T) {
	t.Parallel()
	c, system, _ := newClock()
	for range 10 {
		system.wall = system.wall.Add(time.Hour)
		expect(t, c, start.Add(system.elapsed-90*time.Hour), 0)
		system.pass(4 * time.Minute)
		expect(t, c, start.Add(system.elapsed-90*time.Hour), 0)
	}
}

// TestSmallDifferencesAreFollowed, and never backwards.
func TestSmallDifferencesAreFollowed(t *testing.T) {
	t.Parallel()
	c, system, said := newClock()
	last := c.Now()
	for i := range 1000 {
		system.pass(50 * time.Millisecond)
		system.wall = system.wall.Add(time.Duration(i%3-1) * 400 * time.Millisecond)
		if now := c.Now(); now.Before(last) {
			t.Fatalf("went back from %s to %s", last, now)
		} else {
			last = now
		}
	}
	system.pass(2 * time.Second)
	expect(t, c, system.wall, 0)
	if said.Len() > 0 {
		t.Errorf("said: %s", said)
	}
}

// TestTheSystemsClocks agree while nobody steps them.
func TestTheSystemsClocks(t *testing.T) {
	t.Parallel()
	c := clock.New(clock.Options{})
	before := time.Now()
	now := c.Now()
	if d := now.Sub(before); d.Abs() > time.Minute || now.Location() != time.UTC {
		t.Errorf("shows %s at %s", now, before)
	}
}
