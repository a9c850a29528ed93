package program

import (
	"context"
	"os/exec"
	"sync"
	"time"
)

// Group is a program that runs, and what it starts in its process group. Where
// it ends by itself what is left of the group is left alone.
type Group struct {
	leader
	// Exited is closed once the leader is gone and its output is read; Err is
	// then how it ended.
	Exited chan struct{}
	Err    error

	mu sync.Mutex // guards what follows, and that no stranger is signalled
	// until is when what is left of the group is killed; zero: End was not
	// called.
	until  time.Time
	reaped bool // the pid may be another's by now
}

// Start starts cmd with standard input closed.
func Start(cmd *exec.Cmd) (*Group, error) {
	g := &Group{leader: leader{cmd: cmd}, Exited: make(chan struct{})}
	if err := g.start(g.wait); err != nil {
		return nil, err
	}
	return g, nil
}

// wait collects the leader. What a program that ended by itself has left in
// its group is left alone: it may be the very replicas that it was to start.
func (g *Group) wait() {
	defer close(g.Exited)
	g.awaitExit()
	// A wrapper such as sh -c may be gone at once while the program behind it
	// still finishes its work.
	for time.Now().Before(g.killedAt()) && !g.groupGone() {
		time.Sleep(50 * time.Millisecond)
	}
	g.mu.Lock()
	if !g.until.IsZero() {
		g.kill()
	}
	g.reaped = true
	g.mu.Unlock()
	g.Err = g.collect()
}

// End asks the whole group to stop, kills after grace what then still runs,
// and returns once the leader is gone and nothing else of the group is left to
// finish.
func (g *Group) End(grace time.Duration) {
	g.mu.Lock()
	if g.until.IsZero() {
		g.until = time.Now().Add(grace)
	}
	g.mu.Unlock()
	g.signal(g.terminate)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-g.Exited:
		return
	case <-timer.C:
	}
	g.signal(g.kill)
	<-g.Exited
}

func (g *Group) signal(send func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.reaped {
		send()
	}
}

func (g *Group) killedAt() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.until
}

// Run is RunGrace that kills at once.
func Run(ctx context.Context, cmd *exec.Cmd) error { return RunGrace(ctx, cmd, 0) }

// RunGrace runs cmd until it ends and returns how it ended. Once ctx is done it
// ends the whole group as End does, and returns the error of ctx.
func RunGrace(ctx context.Context, cmd *exec.Cmd, grace time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g, err := Start(cmd)
	if err != nil {
		return err
	}
	select {
	case <-g.Exited:
		return g.Err
	case <-ctx.Done():
		g.End(grace)
		return ctx.Err()
	}
}
