package scaler

import (
	"context"
	"sync"
	"time"

	"github.com/go-kit/log/level"
)

// work is what a runner runs, one call at a time.
type work interface {
	// turn takes a new setup over, where next is one, and goes through one
	// evaluation. It returns how long to wait for the next. What is only read
	// ends with stop.
	turn(ctx, stop context.Context, next *setup) time.Duration
	// lookBack looks at what is open of a policy that leaves, and returns when
	// to look again.
	lookBack() time.Duration
	// waits reports whether something open keeps a policy that leaves.
	waits() bool
	// end gives up the targets of a policy that leaves. No turn follows.
	end(held []boundTarget)
}

// runner decides whose turn it is: the evaluations of one policy follow each
// other, in the queue of its platform, each with the setup that is in force by
// then. There is one of a policy name, which outlives every reload: one that
// leaves may come back until it has gone, so that there is never a second
// runner of one policy. Its methods are safe for concurrent use.
type runner struct {
	engine *Engine
	name   string
	work   work
	// left is called once the runner has gone.
	left func()

	mu      sync.Mutex // guards everything below
	running bool
	again   bool
	timer   *time.Timer
	// stage is how far the policy is on its way out.
	stage stage
	// claims are configurations that were prepared and would bring it back.
	claims int
	// flying is set while an evaluation is in flight, and flight closed when it
	// ends; nil: nobody waits for that.
	flying bool
	flight chan struct{}
	// inForce is the setup of the last evaluation, and next a new one, taken
	// over by the next evaluation; nil: there is none.
	inForce, next *setup
}

// stage is how far a policy is on its way out of the configuration. One that
// leaves decides nothing any more: it ends the evaluation in flight, sees what
// it has asked for settled, and goes.
type stage int

const (
	serving stage = iota
	leaving
	gone
)

// wake starts an evaluation, or asks the one in flight to be followed by
// another. It never blocks.
func (r *runner) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stage == gone:
	case r.running:
		r.again = true
	default:
		r.start()
	}
}

// start runs evaluations until none is asked for. The caller holds r.mu.
func (r *runner) start() {
	r.running = true
	if r.timer != nil {
		r.timer.Stop()
	}
	r.engine.running.Add(1)
	go r.run()
}

func (r *runner) run() {
	defer r.engine.running.Done()
	for {
		if r.finished(r.runOne()) {
			return
		}
	}
}

// runOne runs one turn, from its place in the queue on. It returns how long to
// wait for the next.
func (r *runner) runOne() time.Duration {
	e := r.engine
	for {
		next, lane, serves := r.upcoming()
		if !serves {
			return r.work.lookBack()
		}
		if next != nil && !r.awaitFlights(next) {
			return shortest
		}
		leave, ok := e.lanes.enter(lane, e.draining.Done())
		if !ok {
			return shortest
		}
		if !r.takeSetup(next) {
			leave()
			continue
		}
		wait := r.work.turn(e.ctx, e.draining, next)
		r.landed()
		leave()
		return wait
	}
}

// step runs one turn, and more while they are asked for, in the caller's
// goroutine.
func (r *runner) step(ctx context.Context) {
	for again := true; again; {
		next, _, _ := r.upcoming()
		if !r.takeSetup(next) {
			return
		}
		r.work.turn(ctx, ctx, next)
		r.landed()
		r.mu.Lock()
		again, r.again = r.again, false
		r.mu.Unlock()
	}
}

// upcoming is the setup that the next evaluation takes over, nil where it keeps
// its own, and where it queues. False: the policy leaves.
func (r *runner) upcoming() (next *setup, lane string, serves bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lane = r.inForce.lane
	if r.next != nil {
		lane = r.next.lane
	}
	return r.next, lane, r.stage == serving
}

// finished ends the run, and sets the timer for the next or, where the policy
// has left and nothing of it is open, gives up its targets.
func (r *runner) finished(wait time.Duration) bool {
	r.mu.Lock()
	if r.again && r.stage == serving {
		r.again = false
		r.mu.Unlock()
		return false
	}
	r.running, r.again = false, false
	if r.stage == serving || !r.mayGo() {
		r.timer = time.AfterFunc(wait, r.wake)
		r.mu.Unlock()
		return true
	}
	r.stage = gone
	r.work.end(r.remaining())
	r.mu.Unlock()
	r.left()
	return true
}

// reconfigure hands over a new setup.
func (r *runner) reconfigure(s *setup) {
	r.mu.Lock()
	if r.next != nil {
		s.shed = append(s.shed, r.next.shed...)
	}
	r.next = s
	r.mu.Unlock()
}

// takeSetup puts the new setup in force between two evaluations, where it is
// the one that was cleared, and begins the flight of the next. False: there is
// a newer one, or the policy leaves.
func (r *runner) takeSetup(cleared *setup) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != cleared || r.stage != serving {
		return false
	}
	if cleared != nil {
		r.inForce, r.next = cleared, nil
	}
	r.flying = true
	return true
}

// landed ends the flight.
func (r *runner) landed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flying = false
	if r.flight != nil {
		close(r.flight)
		r.flight = nil
	}
}

// remaining are all targets that the policy still holds. The caller holds r.mu.
func (r *runner) remaining() []boundTarget {
	all := r.inForce.targets
	if r.next != nil {
		all = append(append([]boundTarget(nil), r.next.targets...), r.next.shed...)
	}
	return all
}

// wakeAgain asks for another evaluation right after this one.
func (r *runner) wakeAgain() {
	r.mu.Lock()
	r.again = true
	r.mu.Unlock()
}

// held are the targets that the policy has, or will have after its next
// evaluation.
func (r *runner) held() []boundTarget {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next != nil {
		return r.next.targets
	}
	return r.inForce.targets
}

// leave has the policy end.
func (r *runner) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stage == serving {
		r.stage = leaving
	}
	switch {
	case r.stage == gone:
	case r.running:
		r.again = true
	default:
		r.start()
	}
}

// claim keeps a policy that leaves from going, until it is taken back or the
// claim is given up. False: it has gone.
func (r *runner) claim() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stage == gone {
		return false
	}
	r.claims++
	return true
}

func (r *runner) unclaim() {
	r.mu.Lock()
	r.claims--
	r.mu.Unlock()
	r.wake()
}

// comeBack makes a policy that was claimed serve again.
func (r *runner) comeBack(s *setup) {
	r.mu.Lock()
	r.claims--
	r.stage = serving
	r.mu.Unlock()
	r.reconfigure(s)
}

// mayGo reports whether nothing keeps a policy that leaves. Where the server
// stops, what is open is settled by the next one. The caller holds r.mu, and no
// evaluation is in flight.
func (r *runner) mayGo() bool {
	if r.engine.draining.Err() != nil {
		return true
	}
	if r.claims > 0 {
		return false
	}
	return !r.work.waits()
}

// awaitFlights waits for the evaluations of others that may still ask the
// setup's targets for something. False: the server stops.
func (r *runner) awaitFlights(s *setup) bool {
	for {
		flights := r.engine.flightsWith(s, r)
		if len(flights) == 0 {
			return true
		}
		for other, flight := range flights {
			level.Info(r.engine.opts.Logger).Log("msg", "waiting for another policy to end its evaluation of a target that is this policy's now", "policy", r.name, "other", other.name)
			select {
			case <-flight:
			case <-r.engine.draining.Done():
				return false
			}
		}
	}
}

// flightWith is the evaluation in flight, where it may ask the target; nil:
// there is none.
func (r *runner) flightWith(identity string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.flying || !r.inForce.owns(identity) {
		return nil
	}
	if r.flight == nil {
		r.flight = make(chan struct{})
	}
	return r.flight
}

// givesUp are the identities of the targets that an evaluation is in flight
// with, and that the next setup, nil where the policy leaves, does not have.
func (r *runner) givesUp(next *setup) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.flying {
		return nil
	}
	var out []string
	for _, t := range r.inForce.targets {
		if id := t.config.Identity(); id != "" && (next == nil || !next.owns(id)) {
			out = append(out, id)
		}
	}
	return out
}
