package program

import (
	"context"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// outputDelay is how long output is still read after a program is gone, where
// something that it left behind holds the pipe open, as a persistent SSH
// connection may.
const outputDelay = time.Second

// Group is a program that runs: the leader of a process group of its own, and
// what it starts in that group.
type Group struct {
	cmd *exec.Cmd
	// Exited is closed once the leader is gone and its output is read; Err is
	// then how it ended.
	Exited chan struct{}
	Err    error
	once   sync.Once

	mu     sync.Mutex // guards what follows, and that no stranger is signalled
	ending bool       // End was called
	reaped bool       // the pid may be another's by now
}

// Start starts cmd with standard input closed.
func Start(cmd *exec.Cmd) (*Group, error) {
	g := &Group{cmd: cmd, Exited: make(chan struct{})}
	cmd.Stdin = nil
	cmd.WaitDelay = outputDelay
	cmd.SysProcAttr = sysProcAttr()
	started := make(chan error)
	go func() {
		// The kernel ends the program together with the thread that started
		// it, so that thread must be there as long as the program is.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			g.wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return g, nil
}

// Pid is the leader's, and the name of the group.
func (g *Group) Pid() int { return g.cmd.Process.Pid }

// wait collects the leader. What a program that ended by itself has left in
// its group is left alone: it may be the very replicas that it was to start.
func (g *Group) wait() {
	defer close(g.Exited)
	g.awaitExit()
	g.mu.Lock()
	if g.ending {
		g.kill()
	}
	g.reaped = true
	g.mu.Unlock()
	g.collect()
}

// collect lets os/exec collect the leader and the rest of its output, once.
func (g *Group) collect() { g.once.Do(func() { g.Err = g.cmd.Wait() }) }

// End asks the whole group to stop, kills after grace what then still runs,
// and returns once the leader is gone.
func (g *Group) End(grace time.Duration) {
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
	g.ending = true
	if !g.reaped {
		send()
	}
}

// Run runs cmd until it ends, or kills it with its group once ctx is
// done, and returns how it ended.
func Run(ctx context.Context, cmd *exec.Cmd) error {
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
		g.End(0)
		return ctx.Err()
	}
}
