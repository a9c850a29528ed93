package ansible

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

// group is a program that runs: the leader of a process group of its own, and
// what it starts in that group.
type group struct {
	cmd *exec.Cmd
	// exited is closed once the leader is gone and its output is read; err is
	// then how it ended.
	exited chan struct{}
	err    error
	once   sync.Once

	mu     sync.Mutex // guards what follows, and that no stranger is signalled
	ending bool       // end was called
	reaped bool       // the pid may be another's by now
}

// startGroup starts cmd with standard input closed.
func startGroup(cmd *exec.Cmd) (*group, error) {
	g := &group{cmd: cmd, exited: make(chan struct{})}
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

// wait collects the leader. What a program that ended by itself has left in
// its group is left alone: it may be the very replicas that it was to start.
func (g *group) wait() {
	defer close(g.exited)
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
func (g *group) collect() { g.once.Do(func() { g.err = g.cmd.Wait() }) }

// end asks the whole group to stop, kills after grace what then still runs,
// and returns once the leader is gone.
func (g *group) end(grace time.Duration) {
	g.signal(g.terminate)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-g.exited:
		return
	case <-timer.C:
	}
	g.signal(g.kill)
	<-g.exited
}

func (g *group) signal(send func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ending = true
	if !g.reaped {
		send()
	}
}

// runGroup runs cmd until it ends, or kills it with its group once ctx is
// done, and returns how it ended.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g, err := startGroup(cmd)
	if err != nil {
		return err
	}
	select {
	case <-g.exited:
		return g.err
	case <-ctx.Done():
		g.end(0)
		return ctx.Err()
	}
}
