package scaler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// job is work that takes as long as the test says.
type job struct {
	t     *testing.T
	takes time.Duration

	mu sync.Mutex // guards what follows
	// did is what was done, in order.
	did     []string
	running bool
	// open is set where something is open that keeps the policy.
	open bool
}

func (j *job) do(what string) time.Duration {
	j.mu.Lock()
	if j.running {
		j.t.Errorf("%s while another turn runs", what)
	}
	j.running = true
	j.did = append(j.did, what)
	j.mu.Unlock()
	time.Sleep(j.takes)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.running = false
	return time.Minute
}

func (j *job) turn(_, _ context.Context, next *setup) time.Duration {
	if next != nil {
		return j.do("turn with " + next.fingerprint)
	}
	return j.do("turn")
}

func (j *job) lookBack() time.Duration { return j.do("look back") }

func (j *job) waits() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.open
}

func (j *job) end(held []boundTarget) {
	j.did = append(j.did, fmt.Sprintf("end with %d targets", len(held)))
}

// newJob has a runner on an engine that has nothing else, and waits for its end.
func newJob(t *testing.T) (*runner, *job) {
	t.Helper()
	e := &Engine{lanes: newLanes(1)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.draining, e.stopDraining = context.WithCancel(e.ctx)
	j := &job{t: t, takes: time.Second}
	first := &setup{fingerprint: "one", targets: []boundTarget{{name: "a", config: &scriptedConfig{Name: "a"}}}}
	r := &runner{engine: e, name: "web", work: j, inForce: first, next: first}
	r.left = func() { j.did = append(j.did, "left") }
	t.Cleanup(func() {
		e.stopDraining()
		r.leave()
		e.running.Wait()
		e.cancel()
	})
	return r, j
}

func (j *job) want(when string, want ...string) {
	j.t.Helper()
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.did, want) {
		j.t.Errorf("%s: %q, want %q", when, j.did, want)
	}
	j.did = nil
}

// TestTurnsFollowEachOther: whoever is woken at work works once more, however
// often it was woken, and then after what it asked for.
func TestTurnsFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := newJob(t)
		r.wake()
		synctest.Wait()
		r.wake()
		r.wake()
		j.want("at work", "turn with one")
		time.Sleep(time.Second)
		j.want("then", "turn")
		time.Sleep(time.Second)
		j.want("at rest")
		time.Sleep(time.Minute)
		j.want("after a minute", "turn")
	})
}

// TestASetupIsTakenOverOnce by the next turn, and the last of several alone.
func TestASetupIsTakenOverOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := newJob(t)
		r.wake()
		synctest.Wait()
		r.reconfigure(&setup{fingerprint: "two", shed: []boundTarget{{name: "a"}}})
		three := &setup{fingerprint: "three"}
		r.reconfigure(three)
		r.wake()
		j.want("at work", "turn with one")
		time.Sleep(time.Second)
		j.want("then", "turn with three")
		if len(three.shed) != 1 {
			t.Errorf("sheds %v: what was never taken over has shed a", three.shed)
		}
		r.wake()
		time.Sleep(time.Second)
		j.want("and then", "turn")
	})
}

// TestWhoLeaves turns no more, looks back until nothing is open, and goes once.
func TestWhoLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := newJob(t)
		j.open = true
		r.wake()
		time.Sleep(2 * time.Second)
		r.leave()
		time.Sleep(2 * time.Minute)
		j.want("while something is open", "turn with one", "look back", "look back")
		j.mu.Lock()
		j.open = false
		j.mu.Unlock()
		time.Sleep(2 * time.Minute)
		j.want("once nothing is", "look back", "end with 1 targets", "left")
		r.wake()
		r.leave()
		if r.claim() {
			t.Error("it has gone, and is claimed")
		}
		time.Sleep(time.Hour)
		j.want("in the end")
	})
}

// TestWhoIsClaimed stays, and comes back to where it was.
func TestWhoIsClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := newJob(t)
		r.wake()
		time.Sleep(2 * time.Second)
		if !r.claim() {
			t.Fatal("cannot be claimed")
		}
		r.leave()
		time.Sleep(30 * time.Second)
		j.want("claimed", "turn with one", "look back")
		r.comeBack(&setup{fingerprint: "two"})
		r.wake()
		time.Sleep(2 * time.Second)
		j.want("back", "turn with two")
	})
}

// TestWhatATurnGivesUp are the targets that it may still ask for something and
// the next setup has no more.
func TestWhatATurnGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newJob(t)
		of := func(names ...string) *setup {
			s := &setup{}
			for _, n := range names {
				s.targets = append(s.targets, boundTarget{name: n, config: &scriptedConfig{Name: n}})
			}
			return s
		}
		r.inForce = of("a", "b")
		r.next = r.inForce
		if got := r.givesUp(nil); len(got) > 0 {
			t.Errorf("at rest %v", got)
		}
		r.wake()
		synctest.Wait()
		if got := r.givesUp(of("b")); !slices.Equal(got, []string{"scripted a"}) {
			t.Errorf("of two, where one stays: %v", got)
		}
		if got := r.givesUp(nil); len(got) != 2 {
			t.Errorf("where the policy leaves: %v", got)
		}
		flight := r.flightWith("scripted a")
		if flight == nil || r.flightWith("scripted c") != nil {
			t.Error("a is asked for something, and c is not")
		}
		time.Sleep(time.Second)
		<-flight
	})
}
